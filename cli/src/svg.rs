//! Charts as SVG files: self-contained, readable on white and in print, with words for those who cannot see
//! them.
//!
//! A file has no script and refers to nothing. Lines and bars have the colours of Okabe and Ito, which the
//! colour-blind tell apart; lines differ by mark and dash as well.

mod file;
mod marks;
mod ranking;
mod series;
mod sheet;

pub(crate) use file::write;
pub(crate) use ranking::{RankedBar, RankingChart, ranking};
pub(crate) use series::series;
