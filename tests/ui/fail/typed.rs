//! Mistakes that only types show, with none beside them that keeps the compiler from looking twice: each is
//! told once all the same.

use std::io;
use std::rc::Rc;

use startstop_core::{Context, Runner, Service, service_methods};

struct NoError;

#[derive(Service)]
#[service(start = serve, stop = close)]
struct NotAsync;
impl NotAsync {
    fn serve(&self) {}
    fn close(&self) -> Result<(), String> {
        Ok(())
    }
}

#[derive(Service)]
#[service(start = serve, stop = close)]
struct Outputs;
impl Outputs {
    async fn serve(&self) -> u32 {
        0
    }
    async fn close(&self, _: Context) -> Result<(), NoError> {
        Err(NoError)
    }
}

#[derive(Service)]
#[service(start = serve, stop = close, error = io::Error)]
struct NotSend;
impl NotSend {
    async fn serve(&self) {
        let shared = Rc::new(1);
        std::future::ready(()).await;
        drop(shared);
    }
    async fn close(&self) -> Result<(), String> {
        Ok(())
    }
}

#[derive(Service)]
struct Marked;
#[service_methods]
impl Marked {
    #[start]
    async fn serve(&self, cx: Context) -> Result<(), NoError> {
        cx.cancelled().await;
        Err(NoError)
    }
    #[stop]
    async fn close(&self) {
        let shared = Rc::new(1);
        std::future::ready(()).await;
        drop(shared);
    }
}

fn main() {
    let _ = Runner::new(NotAsync);
    let _ = Runner::new(Outputs);
    let _ = Runner::new(NotSend);
    let _ = Runner::new(Marked);
}
