//! The needles of a mask with their indexes, which are built at the first use.

use std::ops::Deref;
use std::sync::OnceLock;

use super::index::{Direction, Index};
use super::needles::{Needles, Place};

#[derive(Default)]
pub(super) struct Prepared {
    needles: Needles,
    text: Indexes,
    base64: Indexes,
}

#[derive(Default)]
struct Indexes {
    forward: OnceLock<Index>,
    backward: OnceLock<Index>,
}

impl Clone for Prepared {
    fn clone(&self) -> Self {
        Self {
            needles: self.needles.clone(),
            ..Self::default()
        }
    }
}

impl PartialEq for Prepared {
    fn eq(&self, other: &Self) -> bool {
        self.needles == other.needles
    }
}

impl Deref for Prepared {
    type Target = Needles;

    fn deref(&self) -> &Needles {
        &self.needles
    }
}

impl Prepared {
    /// The needles, to add to them: the indexes are built anew.
    pub(super) fn needles_mut(&mut self) -> &mut Needles {
        (self.text, self.base64) = Default::default();
        &mut self.needles
    }

    pub(super) fn index(&self, place: Place, direction: Direction) -> &Index {
        let Indexes { forward, backward } = match place {
            Place::Text => &self.text,
            Place::Base64 => &self.base64,
        };
        let index = match direction {
            Direction::Forward => forward,
            Direction::Backward => backward,
        };
        index.get_or_init(|| Index::new(&self.needles, place, direction))
    }
}
