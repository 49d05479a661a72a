/// Two values of a field. The method of [`Differs`] is found first, if their type can be compared.
pub struct Compare<'a, T>(pub &'a T, pub &'a T);

pub trait Differs {
    fn differs(&self) -> bool;
}

impl<T: PartialEq> Differs for Compare<'_, T> {
    #[inline]
    fn differs(&self) -> bool {
        self.0 != self.1
    }
}

pub trait AlwaysDiffers {
    fn differs(&self) -> bool;
}

impl<T> AlwaysDiffers for &Compare<'_, T> {
    #[inline]
    fn differs(&self) -> bool {
        true
    }
}
