//! Named methods that do not exist, or have a shape that a service cannot call.

use std::rc::Rc;

use startstop_core::{Context, Runner, Service};

macro_rules! service {
    ($($name:ident)*) => { $( let _ = Runner::new($name); )* };
}

#[derive(Service)]
#[service(start = serve, stop = halt)]
struct Missing;

#[derive(Service)]
#[service(start = serve, stop = close)]
struct NotAsync;
impl NotAsync {
    fn serve(&self) {}
    fn close(&self, _: Context) -> Result<(), String> {
        Ok(())
    }
}

#[derive(Service)]
#[service(start = serve, stop = close)]
struct Receivers;
impl Receivers {
    async fn serve(&mut self) {}
    async fn close(self) {}
}

#[derive(Service)]
#[service(start = serve, stop = close)]
struct Arguments;
impl Arguments {
    async fn serve(&self, _: Context, _: u8) {}
    async fn close() {}
}

#[derive(Service)]
#[service(start = serve, stop = close)]
struct Types;
impl Types {
    async fn serve(&self, _: u8) {}
    async fn close(&self) -> u8 {
        0
    }
}

#[derive(Service)]
#[service(start = serve, stop = close)]
struct Errors;
impl Errors {
    async fn serve(&self) -> Result<(), u8> {
        Ok(())
    }
    async fn close(&self) -> Result<u8, String> {
        Ok(0)
    }
}

#[derive(Service)]
#[service(start = serve, stop = close, error = std::io::Error)]
struct Typed;
impl Typed {
    async fn serve(&self) -> Result<(), std::fmt::Error> {
        Ok(())
    }
    async fn close(&self, _: &Context) {}
}

#[derive(Service)]
#[service(start = serve, stop = close)]
struct NotSend;
impl NotSend {
    async fn serve(&self) {
        let shared = Rc::new(1);
        std::future::ready(()).await;
        drop(shared);
    }
    async fn close(&self, cx: Context) {
        let shared = Rc::new(1);
        cx.cancelled().await;
        drop(shared);
    }
}

#[derive(Service)]
#[service(start = serve, error = u8)]
struct BadError;
impl BadError {
    async fn serve(&self) {}
}

fn main() {
    service!(Missing NotAsync Receivers Arguments Types Errors Typed NotSend BadError);
}
