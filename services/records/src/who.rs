//! Who asks for a write. Only a request says so; and since a write's origin is made of nothing else, none can leave it
//! out of the journal.

use chassis::Caller;
use prost::Message;
use proto::Excerpt;
use store::Origin;
use tonic::Request;

/// Who asks: the caller's name, or nobody where there is no login.
#[derive(Clone, Debug, Default)]
pub struct Who(String);

/// A request id that is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no UUID")]
pub struct NoUuid(Excerpt);

impl Who {
    /// Who makes a request.
    pub fn of<T>(request: &Request<T>) -> Who {
        let caller = request.extensions().get::<Caller>();
        Who(caller.map_or_else(String::new, |caller| caller.name.to_string()))
    }

    /// Takes a request apart: who asks, and what.
    pub fn take<T>(request: Request<T>) -> (Who, T) {
        (Who::of(&request), request.into_inner())
    }

    /// The origin of a write that has no request id.
    pub fn origin(self) -> Origin {
        Origin {
            who: self.0,
            request: None,
        }
    }

    /// The origin of a write. Its request id stands for the caller, the method and the request without the id, which
    /// has more than one spelling; so nobody is answered by another's id. Without an id it stands for nothing.
    ///
    /// # Errors
    /// [`NoUuid`] when the id is none.
    pub fn asks<R: Message>(
        self,
        method: &str,
        request_id: &str,
        without_id: &R,
    ) -> Result<Origin, NoUuid> {
        if request_id.is_empty() {
            return Ok(self.origin());
        }
        let id = uuid::Uuid::try_parse(request_id);
        let id = id.map_err(|_| NoUuid(Excerpt::of(request_id)))?;
        let stands_for = [
            method.as_bytes(),
            self.0.as_bytes(),
            &without_id.encode_to_vec(),
        ];
        let request = store::Request {
            id: id.into_bytes(),
            digest: proto::query_digest(&stands_for),
        };
        Ok(Origin {
            who: self.0,
            request: Some(request),
        })
    }
}
