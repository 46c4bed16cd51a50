//! Lists to their end.

use crate::Client;
use crate::wire::{ListObservationsRequest, Observation};

/// The pages of a list. `ask` is asked for each by its token, and answers what is on it and the token of the next.
pub async fn pages<T>(ask: impl AsyncFnMut(String) -> (Vec<T>, String)) -> Vec<Vec<T>> {
    pages_from(String::new(), ask).await
}

/// The same, from the page of a token on.
pub async fn pages_from<T>(
    mut page_token: String,
    mut ask: impl AsyncFnMut(String) -> (Vec<T>, String),
) -> Vec<Vec<T>> {
    let mut pages = Vec::new();
    loop {
        let (page, next_page_token) = ask(page_token.clone()).await;
        pages.push(page);
        if next_page_token.is_empty() {
            return pages;
        }
        assert_ne!(next_page_token, page_token, "the list goes on");
        page_token = next_page_token;
    }
}

/// All figures that a request asks for, over pages of its size.
pub async fn observations(client: &Client, request: ListObservationsRequest) -> Vec<Observation> {
    let pages = pages(async |page_token| {
        let request = ListObservationsRequest {
            page_token,
            ..request.clone()
        };
        let page = client.clone().list_observations(request).await;
        let page = page.expect("a page").into_inner();
        (page.observations, page.next_page_token)
    });
    pages.await.concat()
}
