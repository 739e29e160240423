//! Processes of a file: mistakes, dependencies, instances, logs, and a file that changes.

mod changes;
mod mistakes;

use std::fs;
use std::time::Duration;

use startstop_core::{Runner, State};
use startstop_process::Processes;

use crate::support::Folder;

/// Returns the report on a file, without the folder.
fn said(folder: &Folder, name: &str, text: &str) -> String {
    let path = folder.path(name);
    fs::write(&path, text).unwrap();
    let error = Processes::from_file(&path).unwrap_err().to_string();
    error.replace(&format!("{}/", folder.0.display()), "")
}

/// Starts what a file says.
async fn running(path: &str, text: &str) -> Runner<Processes> {
    fs::write(path, text).unwrap();
    let runner = Runner::new(Processes::from_file(path).unwrap());
    runner.start().await.unwrap();
    runner
}

#[tokio::test]
async fn a_procfile_has_the_variables_and_the_folder_of_the_env_beside_it() {
    let folder = Folder::new("env");
    let path = folder.path("Procfile");
    fs::write(
        folder.path(".env"),
        "# ours\nGREETING='hello you'\nexport PORT=7000\n",
    )
    .unwrap();
    let text = "one: echo $GREETING $PORT >one; sleep 1000\ntwo: echo $PORT >two; sleep 1000\n";
    let runner = running(&path, text).await;
    assert_eq!(folder.read("one").await, "hello you 7000");
    assert_eq!(folder.read("two").await, "7100");
    fs::remove_file(folder.path("one")).unwrap();
    fs::write(folder.path(".env"), "GREETING=bye\nPORT=7000\n").unwrap();
    runner.reload().await.unwrap();
    assert_eq!(folder.read("one").await, "bye 7000");
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_command_of_a_procfile_may_begin_with_what_only_a_shell_knows() {
    let folder = Folder::new("builtin");
    let path = folder.path("Procfile");
    fs::write(folder.path("vars"), "echo sourced >two\n").unwrap();
    // The end of one stops the others, so `three` gives `two` the time to write.
    let text = "one: exec tail -f /dev/null\ntwo: . ./vars\n\
                three: ! { until test -s two; do sleep 0.01; done; test -e nothing; }\n";
    let runner = running(&path, text).await;
    assert_eq!(folder.read("two").await, "sourced");
    runner.wait().await;
    assert!(
        runner.errors_list().is_empty(),
        "{:?}",
        runner.errors_list()
    );
}

#[tokio::test]
async fn a_job_that_has_not_ended_in_its_time_to_start_has_failed() {
    let folder = Folder::new("late-job");
    let text = format!(
        "[process.a]\ncommand = 'echo $$ >{}; echo so far >&2; exec sleep 1000'\njob = true\n\
         start_timeout = '2s'\nrestart = 'never'\n\
         [process.b]\ncommand = 'true'\njob = true\nstart_timeout = '1h'\n",
        folder.path("pid")
    );
    let runner = running(&folder.path("app.toml"), &text).await;
    assert_eq!(runner.wait().await, startstop_core::Exit::Completed);
    let failure = runner.find("processes/a").unwrap().errors_last().unwrap();
    assert_eq!(
        failure.error().to_string(),
        "not ready: it has not ended after 2s: so far"
    );
    assert!(!crate::support::is_alive(&folder.read("pid").await));
}

#[tokio::test]
async fn signals_of_real_time_are_named_in_a_file() {
    let folder = Folder::new("real-time-file");
    let script = format!(
        "import signal, sys, time\n\
         def say(number, _):\n    \
             open('{}/' + str(number), 'w').write('heard\\n')\n    \
             if number == 37: sys.exit()\n\
         signal.signal(37, say)\n\
         signal.signal(63, say)\n\
         print('up', flush=True)\n\
         while True: time.sleep(0.01)",
        folder.0.display()
    );
    let text = format!(
        "[process.a]\ncommand = ['python3', '-c', {script:?}]\nready = {{ line = 'up' }}\n\
         stop = {{ signal = 'SIGRTMIN+3' }}\nreload = 'RTMAX-1'\n"
    );
    let runner = running(&folder.path("app.toml"), &text).await;
    let child = runner.find("processes/a").unwrap();
    child.reload().await.unwrap();
    assert_eq!(folder.read("63").await, "heard");
    runner.stop().await.unwrap();
    assert_eq!(folder.read("37").await, "heard");
}

#[tokio::test]
async fn a_process_is_as_the_file_says() {
    let folder = Folder::new("keys");
    let (path, log) = (folder.path("app.toml"), folder.path("a.log"));
    let text = format!(
        "[process.a]\ncommand = 'pwd; echo $A ${{HOME:-none}}; ulimit -n; ulimit -v; umask; nice; exit 3'\n\
         cwd = '/usr'\nenv = {{ A = 'b' }}\nenv_clear = true\numask = 0o27\nnice = 4\n\
         limits = {{ files = 77, memory = '1GB' }}\nsuccess_codes = [3]\njob = true\n\
         log = {{ file = '{log}' }}\n"
    );
    running(&path, &text).await;
    let said = fs::read_to_string(&log).unwrap();
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        ["/usr", "b none", "77", "1048576", "0027", "4"]
    );
}

#[tokio::test]
async fn a_process_of_a_user_has_its_groups_and_its_home() {
    let folder = Folder::new("user");
    let (path, log) = (folder.path("app.toml"), folder.path("a.log"));
    let text = format!(
        "log = {{ file = '{log}' }}\n[process.a]\ncommand = 'id -un; id -gn; echo $USER $HOME'\n\
         user = 'daemon'\ngroup = 'bin'\njob = true\n"
    );
    running(&path, &text).await;
    assert_eq!(
        fs::read_to_string(&log).unwrap(),
        "daemon\nbin\ndaemon /usr/sbin\n"
    );
}

#[tokio::test]
async fn processes_start_in_order_and_one_that_ends_leaves_the_others() {
    let folder = Folder::new("order");
    let (path, log) = (folder.path("app.toml"), folder.path("log"));
    let text = format!(
        "[process.first]\ncommand = 'sleep 0.2; echo first >>{log}; echo up; exec sleep 1000'\nready = {{ line = 'up' }}\n\
         [process.second]\ncommand = 'echo second >>{log}; exec sleep 1000'\nafter = ['first']\n\
         [process.job]\ncommand = ['true']\njob = true\n"
    );
    let runner = running(&path, &text).await;
    while fs::read_to_string(&log).unwrap().lines().count() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(fs::read_to_string(&log).unwrap(), "first\nsecond\n");
    assert_eq!(runner.state(), State::Running);
    let job = runner.find("processes/job").expect("its members are found");
    assert_eq!(job.state(), State::Stopped);
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn an_entry_that_is_called_as_an_instance_would_be_is_none() {
    let folder = Folder::new("no-instance");
    let text = "[process.web]\ncommand = 'exec sleep 1000'\ninstances = 2\n\
                [process.web-7]\ncommand = 'true'\njob = true\nafter = ['web']\n";
    let runner = running(&folder.path("app.toml"), text).await;
    assert_eq!(runner.service().members(), ["web-1", "web-2", "web-7"]);
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn instances_have_numbers() {
    let folder = Folder::new("instances");
    let (path, out) = (folder.path("app.toml"), folder.path("out"));
    let text = format!(
        "[process.web]\ncommand = 'echo {{instance}} $INSTANCE; exec sleep 1000'\ninstances = 2\n\
         log = {{ file = '{out}-{{name}}-{{instance}}' }}\n\
         [process.after]\ncommand = ['sleep', '1000']\nafter = ['web']\n"
    );
    fs::write(&path, text).unwrap();
    let runner = Runner::new(Processes::from_file(&path).unwrap());
    assert_eq!(runner.service().members(), ["web-1", "web-2", "after"]);
    runner.start().await.unwrap();
    assert_eq!(
        [
            folder.read("out-web-1-1").await,
            folder.read("out-web-2-2").await
        ],
        ["1 1", "2 2"]
    );
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_log_is_rotated_by_size() {
    let folder = Folder::new("rotated");
    let (path, log) = (folder.path("app.toml"), folder.path("app.log"));
    let text = format!(
        "[process.chatty]\ncommand = ['seq', '1', '1000']\njob = true\n\
         log = {{ file = '{log}', size = '1KB', keep = 2 }}\n"
    );
    running(&path, &text).await;
    let read = |end: &str| fs::read_to_string(format!("{log}{end}")).unwrap();
    assert!(read("").ends_with("999\n1000\n"));
    for old in [".1", ".2"] {
        // The file is full but for less than a line, and not larger than allowed.
        assert!(
            (1020..=1024).contains(&read(old).len()),
            "{}",
            read(old).len()
        );
    }
    assert!(!fs::exists(format!("{log}.3")).unwrap());
}

#[tokio::test]
async fn a_bound_process_goes_down_and_comes_back_with_the_one_it_is_bound_to() {
    let folder = Folder::new("bound");
    let path = folder.path("app.toml");
    let text = format!(
        "[process.db]\ncommand = 'echo $$ >>{db}; exec sleep 1000'\nrestart = {{ policy = 'always', delay = '10ms' }}\n\
         [process.web]\ncommand = 'echo $$ >>{web}; exec sleep 1000'\nbound_to = ['db']\n",
        db = folder.path("db"),
        web = folder.path("web"),
    );
    let runner = running(&path, &text).await;
    let (db, web) = (folder.read("db").await, folder.read("web").await);
    std::process::Command::new("kill")
        .args(["-KILL", &db])
        .status()
        .unwrap();
    while folder.read("web").await == web {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!crate::support::is_alive(&web));
    runner.stop().await.unwrap();
    let circle = "[process.a]\ncommand = 'x'\nbound_to = ['b']\n[process.b]\ncommand = 'x'\nafter = ['a']\n\
                  watchdog = '1s'\nstop = { longest = '1m' }\n";
    let expected = "app.toml:3:13: `b` is after `a` itself, in a circle\n\
                    app.toml:6:10: `a` is after `b` itself, in a circle\n\
                    app.toml:7:12: a watchdog needs `ready = { notify = true }`\n\
                    app.toml:8:20: to put off the end of a stop needs `ready = { notify = true }`";
    assert_eq!(said(&folder, "app.toml", circle), expected);
}

#[tokio::test]
async fn what_a_reload_command_says_is_in_the_log_of_its_process() {
    let folder = Folder::new("reload-log");
    let text = format!(
        "log = {{ file = '{}' }}\n[process.a]\ncommand = 'exec sleep 1000'\n\
         reload = ['sh', '-c', 'echo reads; echo no luck >&2; exit 3']\n",
        folder.path("log")
    );
    let runner = running(&folder.path("app.toml"), &text).await;
    let child = runner.find("processes/a").unwrap();
    child.reload().await.unwrap_err();
    runner.stop().await.unwrap();
    let log = folder.read("log").await;
    let mut lines: Vec<&str> = log.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["no luck", "reads"]);
}
