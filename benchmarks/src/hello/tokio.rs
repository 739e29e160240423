//! Bare tokio.

#[tokio::main]
async fn main() {
    tokio::spawn(async { println!("hello") }).await.expect("it does not panic");
}
