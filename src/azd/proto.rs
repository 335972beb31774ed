//! The code that `build.rs` makes of `proto/azdext.proto`.
#![expect(unused_qualifications, reason = "made code")]
#![cfg_attr(feature = "test-fakes", expect(clippy::allow_attributes, clippy::too_many_lines, reason = "made code"))]

tonic::include_proto!("azdext");
