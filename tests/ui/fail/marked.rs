//! Marked methods whose types are wrong.

use std::rc::Rc;

use startstop_core::{Context, Runner, Service, service_methods};

#[derive(Service)]
#[service(error = std::io::Error)]
struct Types;

#[service_methods]
impl Types {
    #[start]
    async fn serve(&self, _: u8) {}
    #[stop]
    async fn close(&self) -> Result<(), std::fmt::Error> {
        Ok(())
    }
}

#[derive(Service)]
struct Outputs;

#[service_methods]
impl Outputs {
    #[start]
    fn serve(&self) -> Result<(), String> {
        Ok(())
    }
    #[stop]
    async fn close(&self) -> Option<()> {
        None
    }
}

#[derive(Service)]
struct NotSend;

#[service_methods]
impl NotSend {
    #[start]
    async fn serve(&self, cx: Context) {
        let shared = Rc::new(1);
        cx.cancelled().await;
        drop(shared);
    }
}

fn main() {
    let _ = Runner::new(Types);
    let _ = Runner::new(Outputs);
    let _ = Runner::new(NotSend);
}
