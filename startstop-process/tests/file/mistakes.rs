//! Mistakes in a file, told at once, with line and column.

use std::fs;

use startstop_process::Processes;

use super::said;
use crate::support::Folder;

#[test]
fn all_mistakes_are_told_at_once_with_line_and_column() {
    let folder = Folder::new("mistakes");
    let text = r#"nam = "desk"
[process.redis]
command = ["redis-server"]
redy = { tcp = "127.0.0.1:6390" }
restart = "on-failur"
[process.web]
after = ["redsi"]
stop = { signal = "TREM", timeout = "3 s" }
env = { A = 1 }
ready = { tcp = "nowhere" }
"#;
    let expected = [
        "app.toml:1:1: unknown key `nam`; did you mean `name`?",
        "app.toml:4:1: unknown key `redy`; did you mean `ready`?",
        "app.toml:5:11: unknown policy `on-failur`; did you mean `on-failure`?",
        "app.toml:6:10: `web` has no `command`",
        "app.toml:7:10: there is no process `redsi`; did you mean `redis`?",
        "app.toml:8:19: no signal is called `TREM`; did you mean `TERM`?",
        "app.toml:8:37: `3 s` is not a duration like \"250ms\", \"10s\", \"2m\" or \"1h\"",
        "app.toml:9:13: this is an integer; accepted is a string",
        "app.toml:10:17: `nowhere` is not an address like \"127.0.0.1:6390\"",
    ];
    assert_eq!(
        said(&folder, "app.toml", text).lines().collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn text_that_is_no_toml_and_circles_are_told() {
    let folder = Folder::new("no-toml");
    assert!(
        said(&folder, "a.toml", "name = \n[process.a]\ncommand = 'x'\n").starts_with("a.toml:1:")
    );
    let text =
        "[process.a]\ncommand = 'x'\nafter = ['b']\n[process.b]\ncommand = 'x'\nafter = ['a']\n";
    let lines = said(&folder, "b.toml", text);
    assert!(
        lines.starts_with("b.toml:3:10: `b` is after `a` itself, in a circle"),
        "{lines}"
    );
    assert!(said(&folder, "c.toml", "").contains("there is no process in it"));
    assert!(said(&folder, "Procfile", "web\nweb: x\nweb: y\n").ends_with(
        "Procfile:1:1: a line is `name: command`\nProcfile:3:1: there is a process `web` already"
    ));
}

#[test]
fn what_is_no_text_is_told_with_its_place() {
    let folder = Folder::new("no-text");
    let said = |written: &str, text: &[u8], read: &str| {
        fs::write(folder.path(written), text).unwrap();
        let error = Processes::from_file(folder.path(read)).unwrap_err();
        error.to_string().replace(&folder.path(""), "")
    };
    let text = [&b"[process.a]\ncommand = '\xc3\xa9"[..], b"\xff'\n"].concat();
    let place = "app.toml:2:13: this is not UTF-8";
    assert_eq!(said("app.toml", &text, "app.toml"), place);
    fs::write(folder.path("Procfile"), "web: true\n").unwrap();
    let place = ".env:2:3: this is not UTF-8";
    assert_eq!(said(".env", b"A=1\nB=\xfe\n", "Procfile"), place);
}

#[test]
fn mistakes_of_the_head_of_users_and_of_instances_are_told() {
    let folder = Folder::new("head");
    let text = r#"admin = "9100"
control = { token = "", token_file = "/no/such" }
log = "jsn"
[process.a]
command = ["true"]
user = "nobody-at-all"
uid = 1
instances = 0
log = { size = "1 MB" }
"#;
    let expected = [
        "app.toml:1:9: `9100` is not an address like \"127.0.0.1:6390\"",
        "app.toml:2:11: a token is not empty",
        "app.toml:2:11: one of token, token_file is accepted",
        "app.toml:2:38: /no/such cannot be read: No such file or directory (os error 2)",
        "app.toml:3:7: unknown log `jsn`; did you mean `json`?",
        "app.toml:6:8: no user is called `nobody-at-all`",
        "app.toml:6:8: one of user, uid is accepted",
        "app.toml:8:13: there is at least one instance",
        "app.toml:9:7: a log of this kind has a `file`",
        "app.toml:9:16: `1 MB` is not a size like \"64KB\", \"10MB\" or \"2GB\"",
    ];
    assert_eq!(
        said(&folder, "app.toml", text).lines().collect::<Vec<_>>(),
        expected
    );
    let lines = said(
        &folder,
        "b.toml",
        "control = { token = 'x' }\n[process.a]\ncommand = 'x'\n",
    );
    assert_eq!(lines, "b.toml:1:11: control needs the port of an `admin`");
}

#[test]
fn names_variables_codes_and_numbers_that_cannot_be_are_told() {
    let folder = Folder::new("values");
    let text = r#"log = "syslog"
[process.web]
command = ["tr\u0000ue"]
instances = 2
umask = 0o7777
nice = 99
success_codes = [0, 256]
[process.web-2]
command = "x"
env = { "A=B" = "x", "" = "y" }
restart = "sometimes"
"#;
    let expected = [
        "app.toml:1:7: unknown log `syslog`; known are terminal, json, inherit, null",
        "app.toml:3:12: a text for the system has no NUL",
        "app.toml:5:9: this number is out of range",
        "app.toml:6:8: this number is out of range",
        "app.toml:7:21: this number is out of range",
        "app.toml:8:10: there is a process `web-2` already",
        "app.toml:10:9: a variable has a name without `=`",
        "app.toml:10:22: a variable has a name without `=`",
        "app.toml:11:11: unknown policy `sometimes`; known are never, on-failure, always",
    ];
    let said = said(&folder, "app.toml", text);
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn mistakes_of_a_procfile_and_of_its_env_are_told_at_once() {
    let folder = Folder::new("env-mistakes");
    fs::write(folder.path(".env"), "A=1\n  B\nPORT=http\n").unwrap();
    let expected = "Procfile:1:1: a line is `name: command`\n.env:2:3: a line is `KEY=VALUE`\n\
                    .env:3:1: `http` is no port";
    assert_eq!(said(&folder, "Procfile", "web\n"), expected);
    let processes = folder.path("Procfile");
    fs::write(folder.path(".env"), "SECRET=s3cret\n").unwrap();
    fs::write(&processes, "web: true\n").unwrap();
    let debug = format!("{:?}", Processes::from_file(&processes).unwrap());
    assert!(
        debug.contains("web") && !debug.contains("s3cret"),
        "{debug}"
    );
}

#[test]
fn the_mark_of_windows_before_a_text_is_no_part_of_it() {
    let folder = Folder::new("mark");
    let expected = "Procfile:1:1: a line is `name: command`\n.env:1:1: a line is `KEY=VALUE`";
    fs::write(folder.path(".env"), "\u{feff}bad\r\n").unwrap();
    assert_eq!(said(&folder, "Procfile", "\u{feff}web\r\n"), expected);
    fs::write(folder.path(".env"), "\u{feff}A=1\r\n").unwrap();
    fs::write(folder.path("Procfile"), "\u{feff}web: x\r\n").unwrap();
    let processes = Processes::from_file(folder.path("Procfile")).unwrap();
    assert_eq!(processes.members(), ["web"]);
    let expected = "app.toml:2:1: unknown key `comand`; did you mean `command`?";
    assert!(
        said(
            &folder,
            "app.toml",
            "\u{feff}[process.a]\r\ncomand = 'x'\r\n"
        )
        .ends_with(expected)
    );
}

#[test]
fn what_is_nothing_is_refused() {
    let folder = Folder::new("nothing");
    let text = "[process.a]\ncommand = 'x'\ncwd = ''\nready = { file = '' }\nstart_timeout = '0s'\n\
                limits = { files = 0, memory = '0KB' }\nlog = { file = '', size = 0, age = '0d' }\n\
                [process.b]\ncommand = 'x'\nready = { line = '' }\n";
    let expected = "app.toml:3:7: this is empty\napp.toml:4:18: this is empty\n\
                    app.toml:5:17: `0s` is nothing; accepted is more than that, or to leave it out\n\
                    app.toml:6:20: this number is out of range\n\
                    app.toml:6:32: `0` is nothing; accepted is more than that, or to leave it out\n\
                    app.toml:7:16: this is empty\n\
                    app.toml:7:27: `0` is nothing; accepted is more than that, or to leave it out\n\
                    app.toml:7:36: `0s` is nothing; accepted is more than that, or to leave it out\n\
                    app.toml:10:18: this is empty";
    assert_eq!(said(&folder, "app.toml", text), expected);
    let expected = "app.toml:1:1: there is no process in it; one is `[process.NAME]`";
    assert_eq!(said(&folder, "app.toml", "[process]\n"), expected);
    // Zero is a valid delay and a valid timeout.
    let text = "[process.a]\ncommand = 'x'\nrestart = { delay = '0s', limit = 0 }\nstop = { timeout = '0s' }\n";
    fs::write(folder.path("app.toml"), text).unwrap();
    assert!(Processes::from_file(folder.path("app.toml")).is_ok());
}

#[test]
fn mistakes_say_what_is_accepted_there() {
    let folder = Folder::new("accepted");
    let text = "name = \"a\\u001b\"\n[process.a]\ncommand = 1\nreload = 2.5\nnice = 99999999999999999999\n\
                [process.\"b\\n\"]\ncommand = 'x'\njob = true\nready = { tcp = '127.0.0.1:80' }\n\
                [process.c]\ncommand = 'x'\njob = true\nready = { notify = true }\n";
    let expected = "app.toml:1:8: a name has no line end and no other control character\n\
                    app.toml:3:11: this is an integer; accepted is a string for `sh`, or an array of strings\n\
                    app.toml:4:10: this is a float; accepted is a signal, or a command as an array of strings\n\
                    app.toml:5:8: this number is out of range\n\
                    app.toml:6:10: a name has no line end and no other control character\n\
                    app.toml:9:9: a job is ready when it has ended; accepted is none but `notify`";
    assert_eq!(said(&folder, "app.toml", text), expected);
}

#[test]
fn a_chain_may_be_long_and_so_may_a_circle() {
    const LONG: usize = 20_000;
    let folder = Folder::new("chain");
    let entry = |n: usize| format!("[process.p{n}]\ncommand = 'x'\nafter = ['p{}']\n", n - 1);
    let chain: String = (1..LONG).map(entry).collect();
    let begin = "[process.p0]\ncommand = 'x'\n";
    let path = folder.path("app.toml");
    fs::write(&path, format!("{begin}{chain}")).unwrap();
    assert_eq!(Processes::from_file(&path).unwrap().members().len(), LONG);
    let circle = format!("{begin}after = ['p{}']\n{chain}", LONG - 1);
    let said = said(&folder, "app.toml", &circle);
    assert_eq!(said.lines().count(), LONG);
    assert!(
        said.lines()
            .all(|line| line.ends_with("itself, in a circle"))
    );
}
