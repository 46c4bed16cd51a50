//! The wire of Entente and the words that every crate shares.
//!
//! # Layout
//!
//! * [`trade`], [`error`], [`mod@r#type`]: the generated messages, clients and servers, one module a
//!   package; the `.proto` files beside this crate are their manual.

/// Generated from `entente/error/v1`.
pub mod error {
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::pedantic,
        reason = "generated"
    )]
    pub mod v1 {
        tonic::include_proto!("entente.error.v1");
    }
}

/// Generated from `entente/type/v1`.
pub mod r#type {
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::pedantic,
        reason = "generated"
    )]
    pub mod v1 {
        tonic::include_proto!("entente.r#type.v1");
    }
}

/// Generated from `entente/trade/v1`.
pub mod trade {
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::pedantic,
        reason = "generated"
    )]
    pub mod v1 {
        tonic::include_proto!("entente.trade.v1");
    }
}

/// The whole schema as an encoded `FileDescriptorSet`, custom options and comments included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
