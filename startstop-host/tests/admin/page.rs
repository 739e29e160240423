//! The page, as it is sent.

use startstop_core::{Backoff, Context, Group, RestartPolicy, Runner, Settings, State, service_fn};
use startstop_host::Host;

use super::{Program, shop};
use crate::http::get;

#[tokio::test]
async fn the_page_is_whole_without_a_script() {
    let program = Program::run(shop()).await;
    let page = get(program.addr, "/").await;
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(
        page.body
            .contains("<td data-label=\"state\"><span class=\"state\">running</span></td>")
    );
    assert!(page.body.contains("title=\"shop/http\">http</span>"));
    assert!(
        !page.body.contains("src=") && !page.body.contains("href=\"http"),
        "no outside files"
    );
    let policy = page.header("content-security-policy").unwrap();
    for part in ["default-src 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    let rows = get(program.addr, "/?rows").await.body;
    assert!(rows.starts_with("<tr") && page.body.contains("<tbody"));
    program.stop().await;
}

#[tokio::test]
async fn every_text_from_outside_is_escaped() {
    let evil = "<script>alert(1)</script>\u{202e}\"'&";
    let service = service_fn(move |cx: Context| async move {
        cx.detail(evil);
        cx.checkpoint("<i>about</i>");
        Err::<(), _>(std::io::Error::other(evil))
    });
    let policy =
        RestartPolicy::on_failure().backoff(Backoff::constant(std::time::Duration::from_secs(600)));
    let settings = Settings::new().name("<b>name</b>").restart(policy);
    let flaky = Runner::with_settings(service, settings);
    let app = Group::builder("<u>shop")
        .with("<b>\"'&", flaky.clone())
        .build()
        .unwrap();
    let program = Program::begin(Host::new(app));
    flaky.wait_for(State::Backoff).await;
    let page = get(program.addr, "/").await.body;
    for markup in ["<script>alert", "<b>", "<u>", "<i>", "\u{202e}"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;\u{fffd}&quot;&#39;&amp;"));
    assert!(
        page.contains("&lt;u&gt;shop/&lt;b&gt;&quot;&#39;&amp;") || page.contains("&lt;u&gt;shop")
    );
    program.stop().await;
}
