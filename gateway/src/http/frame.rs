//! gRPC's frames: a flag, a length, a message.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use prost::Message;
use prost_reflect::DynamicMessage;
use proto::error::v1::ErrorReason;
use tonic::body::Body;
use tonic::{Code, Status};

const HEAD: usize = 5;
/// Bytes of a message that a service answers; what they send is far below.
const MAX_MESSAGE: usize = 16 << 20;

/// A message as a call sends it.
pub(super) fn frame(message: &DynamicMessage) -> Result<Bytes, Status> {
    let length = message.encoded_len();
    let told = u32::try_from(length).map_err(|_| broken("a message is too long to be sent"))?;
    let mut bytes = BytesMut::with_capacity(HEAD + length);
    bytes.put_u8(0);
    bytes.put_u32(told);
    let encoded = message.encode(&mut bytes);
    encoded.map_err(|_| broken("a message cannot be written"))?;
    Ok(bytes.freeze())
}

/// The messages of an answer, one after the other.
#[derive(Debug)]
pub(super) struct Messages {
    body: Body,
    buffer: BytesMut,
    ended: bool,
}

impl Messages {
    /// The messages of an answer; the status of one that has none because the call was refused.
    pub(super) fn of(response: Response<Body>) -> Result<Messages, Status> {
        let (head, body) = response.into_parts();
        if let Some(status) = Status::from_header_map(&head.headers)
            && status.code() != Code::Ok
        {
            return Err(status);
        }
        Ok(Messages {
            body,
            buffer: BytesMut::new(),
            ended: false,
        })
    }

    /// The next message; nothing once the call has ended well.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, Status>> {
        loop {
            match self.take() {
                Ok(None) if !self.ended => {}
                Ok(message) => return message.map(Ok),
                Err(status) => return Some(Err(self.end(status))),
            }
            if let Err(status) = self.read().await {
                return Some(Err(self.end(status)));
            }
        }
    }

    fn end(&mut self, status: Status) -> Status {
        self.ended = true;
        self.buffer.clear();
        status
    }

    /// Takes a whole message out of what was read.
    fn take(&mut self) -> Result<Option<Bytes>, Status> {
        let Some((head, rest)) = self.buffer.split_first_chunk::<HEAD>() else {
            return Ok(None);
        };
        let [flag, length @ ..] = *head;
        let length = u32::from_be_bytes(length) as usize;
        if flag != 0 || length > MAX_MESSAGE {
            return Err(broken("the answer of a service cannot be read"));
        }
        if rest.len() < length {
            return Ok(None);
        }
        self.buffer.advance(HEAD);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }

    async fn read(&mut self) -> Result<(), Status> {
        let cut = || broken("the answer of a service ends without saying how");
        let frame = self.body.frame().await.ok_or_else(cut)??;
        match frame.into_data() {
            Ok(data) => self.buffer.extend_from_slice(&data),
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                self.ended = true;
                judge(&trailers)?;
            }
        }
        Ok(())
    }
}

/// What trailers say of the call.
fn judge(trailers: &HeaderMap) -> Result<(), Status> {
    let status = Status::from_header_map(trailers);
    let status = status.ok_or_else(|| broken("the answer of a service ends without a status"))?;
    if status.code() == Code::Ok {
        return Ok(());
    }
    Err(status)
}

/// What is nobody's fault but ours.
pub(super) fn broken(what: &'static str) -> Status {
    proto::status(Code::Internal, ErrorReason::Internal, what, [])
}
