//! Why something did not become a token. Counted by kind, and never with the value.

use std::fmt;

macro_rules! reasons {
    ($($variant:ident $code:literal $says:literal),* $(,)?) => {
        /// Why there is no token of a kind.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(#[doc = $says] $variant,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its code, for counts.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// It in words, with what can be done.
            pub const fn says(self) -> &'static str {
                match self { $(Self::$variant => $says),* }
            }
        }
    };
}

reasons! {
    NoName "no_name" "there is no name",
    PlaceholderName "placeholder_name" "the name stands for no name (unknown, n/a)",
    NameForm "name_form" "the name is not one: no letters, one letter, only another person's, or over 200 bytes",
    NoBirth "no_birth" "there is no date of birth",
    PlaceholderBirth "placeholder_birth" "the date of birth is one that systems fill in by themselves",
    BirthForm "birth_form" "the date of birth has no known form; write 1999-03-05, 05/03/1999, 1999-03 or 1999",
    BirthRange "birth_range" "the date of birth lies before 1900 or in the future",
    NoDocument "no_document" "there is no document number",
    PlaceholderDocument "placeholder_document" "the document number stands for none (zeros, one digit, 123…)",
    DocumentForm "document_form" "the document number has not the form of its kind; a CNIC has 13 digits",
    DocumentKind "document_kind" "the kind of document is not known; name it (cnic, passport, other)",
    DocumentCountry "document_country" "which country's document it is is not known; give the code of two letters",
    NoMother "no_mother" "there is no mother's name",
    PlaceholderMother "placeholder_mother" "the mother's name stands for no name (unknown, n/a)",
    MotherForm "mother_form" "the mother's name is not one",
    NoPlace "no_place" "there is no place",
    PlaceholderPlace "placeholder_place" "the place stands for none",
    PlaceUnknown "place_unknown" "the place is no district of the list; name its district under [places]",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Reason {
    /// What is wrong with a name, said of the mother's.
    pub(crate) fn of_mother(self) -> Self {
        match self {
            Self::NoName => Self::NoMother,
            Self::PlaceholderName => Self::PlaceholderMother,
            Self::NameForm => Self::MotherForm,
            other => other,
        }
    }
}
