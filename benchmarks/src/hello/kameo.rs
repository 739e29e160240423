//! kameo.

use kameo::actor::{Actor, ActorRef, Spawn};
use kameo::error::Infallible;

struct Hello;

impl Actor for Hello {
    type Args = ();
    type Error = Infallible;

    async fn on_start((): (), _: ActorRef<Self>) -> Result<Self, Infallible> {
        println!("hello");
        Ok(Self)
    }
}

#[tokio::main]
async fn main() {
    let actor = Hello::spawn(());
    actor.stop_gracefully().await.expect("it runs");
    actor.wait_for_shutdown().await;
}
