//! A file that changes and is read again.

use std::fs;
use std::time::Duration;

use startstop_core::ReloadError;

use super::running;
use crate::support::{Folder, is_alive};

/// Returns an entry that writes its pid into a file.
fn entry(folder: &Folder, name: &str, sign: &str, keys: &str) -> String {
    let pid = folder.path(&format!("{name}-{sign}"));
    format!("[process.{name}]\ncommand = 'echo $$ >{pid}; exec sleep 1000'\n{keys}\n")
}

#[tokio::test]
async fn a_reload_changes_just_what_has_changed() {
    let folder = Folder::new("reload");
    let path = folder.path("app.toml");
    let entry = |name: &str, sign: &str| entry(&folder, name, sign, "");
    let runner = running(
        &path,
        &(entry("kept", "a") + &entry("changed", "a") + &entry("gone", "a")),
    )
    .await;
    let kept = folder.read("kept-a").await;
    let gone = folder.read("gone-a").await;
    fs::remove_file(folder.path("kept-a")).unwrap();

    fs::write(
        &path,
        entry("kept", "a") + &entry("changed", "b") + &entry("new", "a"),
    )
    .unwrap();
    runner.request_reload();
    folder.read("changed-b").await;
    folder.read("new-a").await;
    assert!(is_alive(&kept) && !is_alive(&gone));
    assert!(
        !fs::exists(folder.path("kept-a")).unwrap(),
        "it was restarted"
    );

    fs::write(&path, "[process.kept]\n").unwrap();
    let before = runner.errors_list().len();
    runner.request_reload();
    while runner.errors_list().len() == before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(is_alive(&kept));
    runner.stop().await.unwrap();
    assert!(!is_alive(&kept));
}

#[tokio::test]
async fn a_reload_that_cannot_do_all_does_the_rest_and_says_so() {
    let folder = Folder::new("reload-head");
    let (path, pid) = (folder.path("app.toml"), folder.path("pid"));
    let runner = running(&path, "[process.a]\ncommand = ['sleep', '1000']\n").await;
    let text = format!("name = 'desk'\n[process.b]\ncommand = 'echo $$ >{pid}; exec sleep 1000'\n");
    fs::write(&path, text).unwrap();
    let error = runner.reload().await.unwrap_err();
    assert!(
        format!("{error:?}").contains("needs a new start"),
        "{error:?}"
    );
    folder.read("pid").await;
    assert_eq!(runner.service().members(), ["b"]);
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_process_that_had_to_be_killed_is_started_as_the_file_says_now() {
    let folder = Folder::new("reload-killed");
    let path = folder.path("app.toml");
    let text = |sign: &str| {
        let pid = folder.path(sign);
        format!(
            "[process.deaf]\ncommand = 'trap \"\" TERM; echo $$ >{pid}; while :; do sleep 1; done'\n\
             stop = {{ timeout = '300ms' }}\n"
        )
    };
    let runner = running(&path, &text("old")).await;
    let old = folder.read("old").await;
    fs::write(&path, text("new")).unwrap();
    runner.reload().await.unwrap();
    let new = folder.read("new").await;
    assert!(!is_alive(&old) && is_alive(&new));
    runner.reload().await.unwrap();
    assert!(is_alive(&new));
    runner.stop_within(Duration::from_secs(1)).await.ok();
}

#[tokio::test]
async fn what_does_not_get_ready_holds_up_neither_the_others_nor_the_next_reload() {
    let folder = Folder::new("reload-slow");
    let path = folder.path("app.toml");
    let kept = entry(&folder, "kept", "a", "");
    let runner = running(&path, &kept).await;
    let pid = folder.read("kept-a").await;
    // `slow` comes first in the file, and no other entry depends on it.
    let slow = entry(&folder, "slow", "a", "ready = { line = 'never' }\n");
    let quick = entry(&folder, "quick", "a", "");
    let behind = entry(&folder, "behind", "a", "after = ['slow']\n");
    fs::write(&path, format!("{slow}{quick}{behind}{kept}")).unwrap();
    let first = tokio::spawn({
        let runner = runner.clone();
        async move { runner.reload().await }
    });
    folder.read("quick-a").await;
    let slow_pid = folder.read("slow-a").await;
    assert!(!first.is_finished());
    fs::write(&path, "[process.slow]\n").unwrap();
    runner.request_reload();
    while runner.errors_list().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let told = runner.errors_last().unwrap().error().to_string();
    assert!(told.contains("has no `command`"), "{told}");
    fs::write(
        &path,
        format!("{}{quick}{behind}{kept}", entry(&folder, "slow", "b", "")),
    )
    .unwrap();
    runner.reload().await.unwrap();
    first.await.unwrap().unwrap();
    folder.read("slow-b").await;
    folder.read("behind-a").await;
    assert!(is_alive(&pid) && !is_alive(&slow_pid));
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_process_that_does_not_start_takes_nothing_with_it_but_what_depends_on_it() {
    let folder = Folder::new("reload-broken");
    let path = folder.path("app.toml");
    let runner = running(&path, &entry(&folder, "kept", "a", "")).await;
    let broken = "[process.broken]\ncommand = 'no-such-command'\nrestart = 'never'\nready = { line = 'x' }\n";
    let behind = entry(&folder, "behind", "a", "after = ['broken']");
    let rest = entry(&folder, "kept", "a", "") + &entry(&folder, "new", "a", "");
    fs::write(&path, format!("{broken}{behind}{rest}")).unwrap();
    let Err(ReloadError::Failed(failure)) = runner.reload().await else {
        panic!("what does not start was taken in");
    };
    assert!(
        failure.error().to_string().contains("process `broken`"),
        "{failure:?}"
    );
    assert!(!fs::exists(folder.path("behind-a")).unwrap());
    let mut members = runner.service().members();
    members.sort();
    assert_eq!(members, ["kept", "new"]);
    let mended = broken.replace("no-such-command", "echo x; exec sleep 1000");
    fs::write(&path, format!("{mended}{behind}{rest}")).unwrap();
    runner.reload().await.unwrap();
    folder.read("behind-a").await;
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn processes_that_go_are_stopped_side_by_side() {
    let folder = Folder::new("reload-side-by-side");
    let path = folder.path("app.toml");
    // Each process ends only when it has seen that the other was told.
    let waits = |name: &str, other: &str| {
        let (told, seen) = (folder.path(name), folder.path(other));
        format!(
            "[process.{name}]\ncommand = 'trap \"touch {told}\" TERM; echo up; \
             until [ -e {told} -a -e {seen} ]; do sleep 0.02; done'\nready = {{ line = 'up' }}\n\
             stop = {{ timeout = '20s' }}\n"
        )
    };
    let kept = entry(&folder, "kept", "a", "");
    let runner = running(&path, &(waits("one", "two") + &waits("two", "one") + &kept)).await;
    fs::write(&path, kept).unwrap();
    runner.reload().await.unwrap();
    assert_eq!(runner.service().members(), ["kept"]);
    assert!(runner.errors_list().is_empty());
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn what_takes_long_to_end_holds_up_no_mistake_and_no_later_reload() {
    let folder = Folder::new("reload-slow-end");
    let path = folder.path("app.toml");
    let kept = entry(&folder, "kept", "a", "");
    let told = folder.path("told");
    let slow = format!(
        "[process.slow]\ncommand = 'trap \"echo >{told}\" TERM; echo up; until [ -e {told}-enough ]; do sleep 0.02; done'\n\
         ready = {{ line = 'up' }}\nstop = {{ timeout = '60s' }}\n"
    );
    let runner = running(&path, &format!("{kept}{slow}")).await;
    let new = |sign: &str| entry(&folder, "new", sign, "");
    fs::write(&path, kept.clone() + &new("a")).unwrap();
    let first = tokio::spawn({
        let runner = runner.clone();
        async move { runner.reload().await }
    });
    folder.read("told").await;
    // A mistake is told although the end is still waited for.
    fs::write(&path, "[process.new]\n").unwrap();
    assert!(runner.reload().await.is_err());
    // What is new starts when the other one has ended, as the last file says; what is back too.
    fs::write(&path, kept.clone() + &new("b") + &slow).unwrap();
    let second = tokio::spawn({
        let runner = runner.clone();
        async move { runner.reload().await }
    });
    assert!(!first.is_finished());
    assert_eq!(runner.service().members().len(), 2);
    fs::write(folder.path("told-enough"), "").unwrap();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    folder.read("new-b").await;
    assert!(!fs::exists(folder.path("new-a")).unwrap());
    let mut members = runner.service().members();
    members.sort();
    assert_eq!(members, ["kept", "new", "slow"]);
    runner.stop().await.unwrap();
}

/// A chain of processes that wait for one that is never ready, last first: nothing of them is spawned.
#[tokio::test]
async fn a_reload_of_many_processes_takes_no_longer_than_there_are() {
    let folder = Folder::new("reload-many");
    let path = folder.path("app.toml");
    let kept = entry(&folder, "kept", "a", "");
    let runner = running(&path, &kept).await;
    let link = |n: u32| format!("[process.n{n}]\ncommand = 'true'\nafter = ['n{}']\n", n - 1);
    let chain: String = (1..1500).rev().map(link).collect();
    let first = entry(&folder, "n0", "a", "ready = { line = 'never' }");
    fs::write(&path, format!("{chain}{first}{kept}")).unwrap();
    runner.request_reload();
    folder.read("n0-a").await;
    fs::write(&path, &kept).unwrap();
    runner.reload().await.unwrap();
    assert_eq!(runner.service().members(), ["kept"]);
    runner.stop().await.unwrap();
}
