//! PostgreSQL: restarted, its backends terminated, behind PgBouncer in transaction mode.

mod hosts;
mod losses;
mod many;
mod refusals;

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use startstop_fleet::{Claim, LeaseStore, Postgres, StoreError, conformance};

use crate::fleet::Fleet;
use crate::free_port::free_port;
use crate::server::{Folder, PROGRAM, Server, eventually, take_over};
use crate::shards::{process, until};

/// It refuses to be run by root.
pub(crate) const USER: &str = "postgres";

pub(crate) struct Cluster {
    folder: Folder,
    server: Server,
    port: u16,
}

/// One with the table in it, and its port.
pub(crate) fn running(name: &str) -> (Cluster, u16) {
    let cluster = Cluster::start(name);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(cluster.store());
    let port = cluster.port;
    (cluster, port)
}

fn binaries() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL of Debian")
        .flatten();
    versions
        .map(|version| version.path().join("bin"))
        .max()
        .expect("a version of it")
}

fn by_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"])
        .arg(program);
    command
}

fn give(path: &Path) {
    let id = |kind| {
        let output = Command::new("id").args([kind, USER]).output().unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .trim()
            .parse::<u32>()
            .unwrap()
    };
    chown(path, Some(id("-u")), Some(id("-g"))).unwrap();
}

impl Cluster {
    fn start(name: &str) -> Self {
        let folder = Folder::new(name);
        give(&folder.0);
        let data = folder.0.join("data");
        let made = by_user(&binaries().join("initdb"))
            .args(["--no-sync", "--auth", "trust", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let port = free_port();
        let server = serve(&folder, port);
        let cluster = Self {
            folder,
            server,
            port,
        };
        cluster.answers();
        cluster
    }

    fn answers(&self) {
        let port = self.port.to_string();
        eventually("PostgreSQL answers", || {
            let ready = Command::new(binaries().join("pg_isready"))
                .args(["--quiet", "--host", "127.0.0.1", "--port", &port])
                .status();
            ready.unwrap().success()
        });
    }

    fn restart(&mut self) {
        self.server.stop(Signal::INT); // fast: clients are disconnected
        self.server = serve(&self.folder, self.port);
        self.answers();
    }

    fn url(&self) -> String {
        url(self.port)
    }

    async fn store(&self) -> Postgres {
        let store = Postgres::connect(&self.url()).await.unwrap();
        store.create().await.unwrap();
        store
    }

    async fn client(&self) -> tokio_postgres::Client {
        let connected = tokio_postgres::connect(&self.url(), tokio_postgres::NoTls).await;
        let (client, connection) = connected.unwrap();
        tokio::spawn(connection);
        client
    }

    async fn run(&self, sql: &str) {
        self.client().await.batch_execute(sql).await.unwrap();
    }

    fn three(&self, port: u16) -> Fleet {
        let mut fleet = Fleet::new(self.folder.0.join("log"));
        for _ in 0..3 {
            fleet.join(PROGRAM, &format!("postgres:{}", url(port)));
        }
        fleet
    }

    fn bouncer(&self) -> (Server, u16) {
        let port = free_port();
        (self.bouncer_at(port), port)
    }

    fn bouncer_at(&self, port: u16) -> Server {
        // Any user is let in, as this one.
        let text = format!(
            "[databases]\npostgres = host=127.0.0.1 port={} user={USER}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 2\n",
            self.port
        );
        let path = self.folder.0.join("pgbouncer.ini");
        fs::write(&path, text).unwrap();
        let server = Server::start(by_user(Path::new("pgbouncer")).arg(&path));
        eventually("PgBouncer answers", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        server
    }
}

pub(crate) fn url(port: u16) -> String {
    format!("postgres://{USER}@127.0.0.1:{port}/postgres")
}

fn serve(folder: &Folder, port: u16) -> Server {
    Server::start(
        by_user(&binaries().join("postgres"))
            .arg("-D")
            .arg(folder.0.join("data"))
            .args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""])
            .args(["-c", "fsync=off"]),
    )
}

#[tokio::test]
async fn postgres_conforms() {
    let cluster = Cluster::start("postgres-conforms");
    let (one, two) = (cluster.store().await, cluster.store().await);
    let breaches = conformance::check(&one, &two, "conformance").await;
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[tokio::test]
async fn postgres_conforms_behind_a_pooler_in_transaction_mode() {
    let cluster = Cluster::start("postgres-pooler");
    cluster.store().await;
    let (_bouncer, port) = cluster.bouncer();
    let one = Postgres::connect(&url(port)).await.unwrap();
    let two = Postgres::connect(&url(port)).await.unwrap();
    let breaches = conformance::check(&one, &two, "conformance").await;
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[tokio::test]
async fn a_missing_table_and_a_missing_right_are_refused_in_words() {
    let cluster = Cluster::start("postgres-refused");
    let store = Postgres::connect(&cluster.url()).await.unwrap();
    let missing = store.check("invoices").await;
    let Err(StoreError::Refused(text)) = missing else {
        panic!("{missing:?}")
    };
    assert!(
        text.contains("`Postgres::create` makes what is missing"),
        "{text}"
    );

    store.create().await.unwrap();
    store.check("invoices").await.unwrap();
    cluster
        .run("create role reader login; grant select on startstop_leases to reader")
        .await;
    let reader = format!("postgres://reader@127.0.0.1:{}/postgres", cluster.port);
    let reader = Postgres::connect(&reader).await.unwrap();
    let refused = async || match reader.check("invoices").await {
        Err(StoreError::Refused(text)) => text,
        granted => panic!("{granted:?}"),
    };
    let text = refused().await;
    assert!(text.starts_with("permission denied"), "{text}");
    cluster
        .run("grant insert, update on startstop_leases to reader")
        .await;
    let text = refused().await;
    assert_eq!(text, "permission denied for sequence startstop_fence");
    cluster
        .run("grant usage on sequence startstop_fence to reader")
        .await;
    reader.check("invoices").await.unwrap();
}

/// Who listens is told at once, also by writers behind a pooler; who is behind one looks.
#[tokio::test]
async fn changes_are_notified_but_not_through_a_pooler() {
    let cluster = Cluster::start("postgres-notify");
    let direct = cluster.store().await;
    let (_bouncer, port) = cluster.bouncer();
    let pooled = Postgres::connect(&url(port)).await.unwrap();
    assert!(direct.notifies() && !pooled.notifies());
    let claim = Claim::new("a", Duration::from_secs(60));
    let mut seen = direct.read("invoices").await.unwrap();
    for _ in 0..5 {
        let write = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            pooled
                .take("invoices", &claim, seen.version())
                .await
                .unwrap()
        };
        let (told, taken) = tokio::join!(direct.changed("invoices", seen.version()), write);
        assert_eq!(told.unwrap(), Some(taken.clone()));
        seen = taken;
    }
    let others =
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()";
    let wait = async {
        let told = direct.changed("invoices", seen.version()).await;
        assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    };
    let terminate = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cluster.run(others).await;
    };
    tokio::join!(wait, terminate);
    // It listens again.
    let write = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        direct.renew("invoices", &seen).await.unwrap()
    };
    let (told, renewed) = tokio::join!(direct.changed("invoices", seen.version()), write);
    assert_eq!(told.unwrap(), Some(renewed));
}

#[tokio::test]
async fn the_fence_outlives_the_row() {
    let cluster = Cluster::start("postgres-row");
    let store = cluster.store().await;
    let claim = Claim::new("a", Duration::from_secs(60));
    let seen = store.read("invoices").await.unwrap();
    let held = store
        .take("invoices", &claim, seen.version())
        .await
        .unwrap();
    cluster.run("delete from startstop_leases").await;
    let renewed = store.renew("invoices", &held).await;
    assert!(matches!(renewed, Err(StoreError::Conflict)), "{renewed:?}");
    let seen = store.read("invoices").await.unwrap();
    let again = store
        .take("invoices", &claim, seen.version())
        .await
        .unwrap();
    assert!(again.fence() > held.fence());
}

#[tokio::test]
async fn a_row_that_was_inserted_by_hand_is_taken_after_a_lease() {
    let cluster = Cluster::start("postgres-by-hand");
    let store = cluster.store().await;
    let row = "insert into startstop_leases (name, holder, fence, version) values ('invoices', 'ops', 0, 0)";
    cluster.run(row).await;
    crate::by_hand::is_followed_and_taken(store.clone()).await;
    // Numbers that no sequence gives.
    let row =
        "update startstop_leases set holder = 'ops', fence = -7, version = -9, lease_ms = -60000";
    cluster.run(row).await;
    crate::by_hand::is_followed_and_taken(store).await;
}

#[tokio::test]
async fn what_processes_leave_behind_is_deleted_by_those_that_live() {
    let cluster = Cluster::start("postgres-shards");
    let stays = process(cluster.store().await);
    stays.start().await.unwrap();
    for _ in 0..3 {
        let goes = process(cluster.store().await);
        goes.start().await.unwrap();
        goes.stop().await.unwrap();
    }
    let store = cluster.store().await;
    let members = async || store.list("orders/members/").await.unwrap().len();
    until("one member is left", async || members().await == 1).await;
    stays.stop().await.unwrap();
    let shards = store.list("orders/shards/").await.unwrap();
    assert_eq!(shards.len(), 4, "their fences go on: {shards:?}");
}

#[test]
fn replicas_take_over_when_the_leader_is_killed_stopped_or_frozen() {
    let cluster = Cluster::start("postgres-replicas");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(cluster.store());
    let (_bouncer, port) = cluster.bouncer();
    take_over(cluster.three(port), &format!("postgres:{}", url(port)));
}

#[test]
fn the_server_is_restarted_and_its_backends_are_terminated() {
    let mut cluster = Cluster::start("postgres-itself");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(cluster.store());
    let mut fleet = cluster.three(cluster.port);
    fleet.leader_after(0);
    let others =
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()";
    runtime.block_on(cluster.run(others));
    cluster.restart();
    let writes = fleet.log.len();
    eventually("somebody leads", || fleet.log.len() > writes + 10);
    let leader = fleet.log.last().unwrap();
    fleet.after("killed", leader, |pid| {
        kill_process(pid, Signal::KILL).unwrap()
    });
    assert_eq!(fleet.log.refused().len(), 0);
    fleet.log.assert_sound();
}
