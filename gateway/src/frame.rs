//! gRPC's frames: a flag, a length, a message.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use proto::error::v1::ErrorReason;
use tonic::{Code, Status};

/// Bytes before a message.
const HEAD: usize = 5;
/// The flag of a message that is as it was written.
pub(crate) const PLAIN: u8 = 0;

/// A message as a call sends it.
///
/// # Errors
/// That it has 4 GiB or more.
pub(crate) fn frame(message: &impl Message) -> Result<Bytes, Status> {
    let length = message.encoded_len();
    let mut frame = begun(PLAIN, length)?;
    message
        .encode(&mut frame)
        .expect("there is room for its length");
    Ok(frame.freeze())
}

/// The beginning of a frame, with room for its bytes.
///
/// # Errors
/// That they are 4 GiB or more.
pub(crate) fn begun(flag: u8, length: usize) -> Result<BytesMut, Status> {
    let told = u32::try_from(length).map_err(|_| too_long())?;
    let mut frame = BytesMut::with_capacity(HEAD + length);
    frame.put_u8(flag);
    frame.put_u32(told);
    Ok(frame)
}

/// The flag of the first frame, the length of its bytes, and what follows; nothing as long as these have not come.
pub(crate) fn split(frames: &[u8]) -> Option<(u8, usize, &[u8])> {
    let (head, rest) = frames.split_first_chunk::<HEAD>()?;
    let [flag, length @ ..] = *head;
    Some((flag, u32::from_be_bytes(length) as usize, rest))
}

/// Takes the first frame out of what has come, if all of it has.
pub(crate) fn take(frames: &mut BytesMut) -> Option<Bytes> {
    let (_, length, rest) = split(frames)?;
    (rest.len() >= length).then(|| {
        let frame = frames.split_to(HEAD + length);
        frame.freeze().slice(HEAD..)
    })
}

fn too_long() -> Status {
    let what = "a message is too long to be sent";
    proto::status(Code::Internal, ErrorReason::Internal, what, [])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_framed_is_taken_out_once_it_is_whole() {
        let whole = frame(&"Almaty".to_owned()).unwrap();
        let mut come = BytesMut::new();
        for byte in &whole {
            assert_eq!(take(&mut come), None);
            come.put_u8(*byte);
        }
        assert_eq!(split(&come).map(|(flag, ..)| flag), Some(PLAIN));
        let message = take(&mut come).unwrap();
        assert_eq!(String::decode(message).unwrap(), "Almaty");
        assert!(come.is_empty());
    }
}
