//! The page in Chromium: live, in a narrow window, in the dark, and without JavaScript.

mod driver;

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Shop, until};
use driver::Driver;

const ROW: &str =
    "[...document.querySelectorAll('tbody tr')].find(row => row.innerText.includes('db'))";

#[test]
fn it_shows_a_restart_within_a_second_and_nothing_is_refused() {
    let shop = Shop::open();
    let driver = Driver::open();
    driver.go(&shop.url);
    until("it is live", || {
        driver.eval("return document.getElementById('live').innerText") == "live"
    });
    assert_eq!(
        driver.eval("return document.querySelectorAll('tbody tr').length"),
        4
    );
    let state = format!("return {ROW}.querySelector('.state').innerText");
    assert_eq!(driver.eval(&state), "running");
    // The least of a few: what else the machine does is not the affair of the page.
    let shown = (0..5).map(|_| {
        let begin = Instant::now();
        shop.control("stop/shop/db");
        until("the stop is shown", || driver.eval(&state) == "stopped");
        let shown = begin.elapsed();
        shop.control("start/shop/db");
        until("the start is shown", || driver.eval(&state) == "running");
        shown
    });
    let least = shown.min().unwrap();
    assert!(least < Duration::from_secs(1), "{least:?}");
    let errors = driver.errors();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn in_a_narrow_window_each_value_has_its_label() {
    let shop = Shop::open();
    let driver = Driver::open();
    driver.go(&shop.url);
    let label = format!("return getComputedStyle({ROW}.children[1], '::before').content");
    let wide = "return document.documentElement.scrollWidth <= window.innerWidth";
    driver.size(1200);
    assert_eq!(driver.eval(&label), "none");
    assert_eq!(driver.eval(wide), true);
    driver.size(390);
    assert_eq!(driver.eval(&label), "\"state\"");
    assert_eq!(driver.eval(wide), true, "nothing is cut off");
}

#[test]
fn it_is_dark_where_the_system_is() {
    let shop = Shop::open();
    let driver = Driver::open();
    let shade = |scheme: &str| {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        driver.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": features }),
        );
        driver.go(&shop.url);
        let colour = driver.eval("return getComputedStyle(document.body).color");
        let text = colour.as_str().unwrap().to_owned();
        let numbers = text
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|n| n.parse::<u32>().ok());
        numbers.take(3).sum::<u32>()
    };
    let (light, dark) = (shade("light"), shade("dark"));
    assert!(
        light < 200 && dark > 500,
        "the text is {light} in the light and {dark} in the dark"
    );
}

#[test]
fn without_javascript_it_is_a_table() {
    let shop = Shop::open();
    let driver = Driver::open();
    let disable = |value: bool| {
        driver.devtools(
            "Emulation.setScriptExecutionDisabled",
            &json!({ "value": value }),
        );
    };
    disable(true);
    driver.go(&shop.url);
    // Only to look at it.
    disable(false);
    assert_eq!(
        driver.eval("return document.getElementById('live').innerText"),
        "",
        "no script has run"
    );
    let text = driver.eval("return document.body.innerText");
    for part in ["db", "cache", "http", "running", "availability"] {
        assert!(text.as_str().unwrap().contains(part), "{part}: {text}");
    }
}
