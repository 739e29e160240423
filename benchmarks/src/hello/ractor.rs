//! ractor.

use ractor::{Actor, ActorProcessingErr, ActorRef};

struct Hello;

impl Actor for Hello {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        println!("hello");
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    let (actor, handle) = Actor::spawn(None, Hello, ()).await.expect("it starts");
    actor.stop(None);
    handle.await.expect("it does not panic");
}
