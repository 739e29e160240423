//! OpenTelemetry SDK 0.33.1.

use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

/// An exporter whose collector is away.
#[derive(Debug)]
struct Away;

impl SpanExporter for Away {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Err(OTelSdkError::InternalFailure("connection refused".into()))
    }
}

fn provider() -> SdkTracerProvider {
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(Away)
        .build();
    drop(provider.tracer("shop").start("order"));
    provider
}

#[test]
fn a_shutdown_says_ok_although_nothing_was_sent_and_a_flush_does_not() {
    assert!(provider().shutdown().is_ok());
    let told = provider();
    let flushed = told.force_flush();
    assert!(flushed.is_err_and(|error| error.to_string().contains("connection refused")));
}
