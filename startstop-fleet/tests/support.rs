//! A store that can be cut off, and a service that says what happens to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use startstop_fleet::{Change, Claim, LeaseStore, Memory, Record, StoreError, Timing, Version};

/// A lease with room for a busy machine, for tests in this process, which must not exit.
pub(crate) const ROOMY: Timing = Timing {
    lease: Duration::from_secs(8),
    renew_by: Duration::from_millis(2500),
    retry: Duration::from_millis(300),
    skew: 0.05,
};

/// For processes that are to exit before their lease is over, on a busy machine: what the skew leaves is three seconds, in which the
/// machine gets to the end of them and to whoever waits for it.
#[allow(dead_code, reason = "a program of the tests has it")]
pub(crate) const QUICK: Timing = Timing {
    lease: Duration::from_secs(10),
    renew_by: Duration::from_millis(1500),
    retry: Duration::from_millis(500),
    skew: 0.3,
};

/// The memory of others, seen through a cable that can be cut.
#[derive(Debug, Clone)]
pub(crate) struct Cable {
    pub(crate) store: Memory,
    cut: Arc<AtomicBool>,
    /// Whether it takes no writes, as a standby.
    standby: Arc<AtomicBool>,
    /// Loses the answers of so many writes, which take effect.
    deaf: Arc<AtomicUsize>,
    /// How often all watches of before were made to tell nothing more.
    mutes: Arc<AtomicUsize>,
    /// How often something was asked, watches left out.
    calls: Arc<AtomicUsize>,
}

impl Cable {
    pub(crate) fn new(store: &Memory) -> Self {
        Self {
            store: store.clone(),
            cut: Arc::default(),
            standby: Arc::default(),
            deaf: Arc::default(),
            mutes: Arc::default(),
            calls: Arc::default(),
        }
    }

    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    pub(crate) fn mend(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }

    #[allow(dead_code, reason = "some programs of the tests have no standby")]
    pub(crate) fn demote(&self) {
        self.standby.store(true, Ordering::SeqCst);
    }

    #[allow(dead_code, reason = "some programs of the tests have no standby")]
    pub(crate) fn promote(&self) {
        self.standby.store(false, Ordering::SeqCst);
    }

    /// From now on the watches that there are tell nothing, and stay open, as those of a frozen server.
    #[allow(dead_code, reason = "some programs of the tests have no watch")]
    pub(crate) fn mute(&self) {
        self.mutes.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn lose_answers(&self, answers: usize) {
        self.deaf.store(answers, Ordering::SeqCst);
    }

    #[allow(dead_code, reason = "some programs of the tests do not count")]
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn plug(&self) -> Result<(), StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.pull()
    }

    fn plug_to_write(&self) -> Result<(), StoreError> {
        self.plug()?;
        if self.standby.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("it is read only"));
        }
        Ok(())
    }

    fn pull(&self) -> Result<(), StoreError> {
        let cut = self.cut.load(Ordering::SeqCst);
        if cut {
            Err(StoreError::unavailable("the cable is cut"))
        } else {
            Ok(())
        }
    }

    fn answer(&self, result: Result<Record, StoreError>) -> Result<Record, StoreError> {
        let fewer = |answers: usize| answers.checked_sub(1);
        match self
            .deaf
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer)
        {
            Ok(_) => Err(StoreError::unavailable("the answer was lost")),
            Err(_) => result,
        }
    }
}

impl LeaseStore for Cable {
    async fn read(&self, name: &str) -> Result<Record, StoreError> {
        self.plug()?;
        self.store.read(name).await
    }

    async fn take(
        &self,
        name: &str,
        claim: &Claim,
        expected: &Version,
    ) -> Result<Record, StoreError> {
        self.plug_to_write()?;
        self.answer(self.store.take(name, claim, expected).await)
    }

    async fn renew(&self, name: &str, held: &Record) -> Result<Record, StoreError> {
        self.plug_to_write()?;
        self.answer(self.store.renew(name, held).await)
    }

    async fn release(&self, name: &str, held: &Record) -> Result<Record, StoreError> {
        self.plug_to_write()?;
        self.answer(self.store.release(name, held).await)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Record)>, StoreError> {
        self.plug()?;
        self.store.list(prefix).await
    }

    async fn changed(&self, name: &str, seen: &Version) -> Result<Option<Record>, StoreError> {
        self.pull()?;
        self.store.changed(name, seen).await
    }

    async fn watch(&self, prefix: &str, tell: impl Fn(Change) + Send + Sync) -> StoreError {
        if let Err(error) = self.pull() {
            return error;
        }
        let cut = async {
            while self.pull().is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            StoreError::unavailable("the cable is cut")
        };
        let mutes = self.mutes.load(Ordering::SeqCst);
        let tell = |change| {
            if self.mutes.load(Ordering::SeqCst) == mutes {
                tell(change);
            }
        };
        tokio::select! {
            error = self.store.watch(prefix, tell) => error,
            error = cut => error,
        }
    }

    fn notifies(&self) -> bool {
        true
    }
}

/// A folder that is deleted with it.
#[cfg(unix)]
#[allow(dead_code, reason = "some programs of the tests have no folder")]
pub(crate) struct Folder(pub(crate) std::path::PathBuf);

#[cfg(unix)]
#[allow(dead_code, reason = "some programs of the tests have no folder")]
impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("startstop-fleet-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    pub(crate) fn store(&self) -> startstop_fleet::Dir {
        startstop_fleet::Dir::new(&self.0)
    }
}

#[cfg(unix)]
impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}
