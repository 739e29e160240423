//! Certificates in a volume as the kubelet mounts it: the files are links into a folder that one link names, which is swapped.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use startstop_core::Settings;
use startstop_host::{Serve, Tls};
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::{ask, certificate, server_with};

struct Volume(PathBuf);

impl Volume {
    fn new(name: &str) -> (Self, CertificateDer<'static>) {
        let name = format!("startstop-volume-{name}-{}", std::process::id());
        let volume = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(&volume.0).unwrap();
        let trusted = volume.write("first");
        volume.swap("first");
        for file in ["cert.pem", "key.pem"] {
            symlink(Path::new("..data").join(file), volume.0.join(file)).unwrap();
        }
        (volume, trusted)
    }

    /// Writes what is to be mounted next.
    fn write(&self, generation: &str) -> CertificateDer<'static> {
        let folder = self.0.join(generation);
        fs::create_dir(&folder).unwrap();
        certificate(&folder)
    }

    fn swap(&self, generation: &str) {
        let new = self.0.join("..data_tmp");
        symlink(generation, &new).unwrap();
        fs::rename(new, self.0.join("..data")).unwrap();
    }

    fn tls(&self) -> Tls {
        Tls::from_files(self.0.join("cert.pem"), self.0.join("key.pem")).unwrap()
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[tokio::test]
async fn a_reload_after_a_swap_shows_the_new_certificate() {
    let (volume, first) = Volume::new("swap");
    let server = server_with(Settings::new(), Serve::new().tls(volume.tls())).await;
    ask(server.addr, &first).await.unwrap();
    let second = volume.write("second");
    volume.swap("second");
    fs::remove_dir_all(volume.0.join("first")).unwrap();
    server.runner.reload().await.unwrap();
    assert!(ask(server.addr, &second).await.unwrap().ends_with("web"));
    ask(server.addr, &first).await.unwrap_err();
    // A link that leads nowhere changes nothing.
    volume.swap("third");
    server.runner.reload().await.unwrap_err();
    assert!(ask(server.addr, &second).await.unwrap().ends_with("web"));
    server.runner.stop().await.unwrap();
}

/// The certificate is of before the swap then, and the key of after it.
#[tokio::test]
async fn a_swap_in_the_midst_of_a_reload_is_no_error() {
    let (volume, _) = Volume::new("midst");
    let server = server_with(Settings::new(), Serve::new().tls(volume.tls())).await;
    // A pipe as the file: reading it takes as long as the writer wants.
    let old = volume.0.join("first/cert.pem");
    fs::remove_file(&old).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&old).status();
    assert!(made.unwrap().success());
    let runner = server.runner.clone();
    let reload = tokio::spawn(async move { runner.reload().await });
    let opened = move || fs::File::options().write(true).open(old);
    let mut writer = tokio::task::spawn_blocking(opened).await.unwrap().unwrap(); // now it is being read
    let second = volume.write("second");
    volume.swap("second");
    let CertifiedKey { cert, .. } = generate_simple_self_signed(["old".to_owned()]).unwrap();
    writer.write_all(cert.pem().as_bytes()).unwrap();
    drop(writer);
    reload.await.unwrap().unwrap();
    assert!(ask(server.addr, &second).await.unwrap().ends_with("web"));
    server.runner.stop().await.unwrap();
}
