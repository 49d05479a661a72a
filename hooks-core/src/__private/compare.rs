use std::ops::Deref;

/// Two values of a field. Its own method is found first, if their type can be compared.
pub struct Compare<'a, T>(pub &'a T, pub &'a T);

impl<T: PartialEq> Compare<'_, T> {
    #[inline]
    pub fn differs(&self) -> bool {
        self.0 != self.1
    }
}

/// Values that cannot be compared.
pub struct AlwaysDiffers;

impl AlwaysDiffers {
    #[inline]
    pub fn differs(&self) -> bool {
        true
    }
}

impl<T> Deref for Compare<'_, T> {
    type Target = AlwaysDiffers;

    #[inline]
    fn deref(&self) -> &AlwaysDiffers {
        &AlwaysDiffers
    }
}
