//! A trait of one's own.

use async_trait::async_trait;

#[async_trait]
trait Service: Send + Sync {
    async fn run(&self);
}

struct Hello;

#[async_trait]
impl Service for Hello {
    async fn run(&self) {
        println!("hello");
    }
}

#[tokio::main]
async fn main() {
    let service: Box<dyn Service> = Box::new(Hello);
    tokio::spawn(async move { service.run().await }).await.expect("it does not panic");
}
