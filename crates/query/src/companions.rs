//! What stands beside a released number on request: its interval, status, bias and date (privacy.md 6.14).
//!
//! The functions here are names for the planner; none is ever computed. The guard puts a column in the place of each call,
//! filled from the same released cell as the number itself, so that asking for it costs nothing and tells nothing else.

use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// `priv_diff_ci(a, b)`: half the width of the 95 % interval of `a - b` by the noise of both (privacy.md 6.14).
pub(crate) const DIFFERENCE: &str = "priv_diff_ci";

/// What stands beside a released number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Companion {
    /// Lower end of the 95 % interval of the noise.
    Lo,
    /// Upper end of it.
    Hi,
    /// OBS_STATUS: A, U, P, Q, L, M.
    Flag,
    /// How far the guard may have moved it.
    Bias,
    /// Standard deviation of the noise.
    Deviation,
    /// Date of the Snapshot.
    AsOf,
}

impl Companion {
    /// In the order in which they stand in an answer.
    pub(crate) const ALL: [Self; 6] = [Self::Lo, Self::Hi, Self::Flag, Self::Bias, Self::Deviation, Self::AsOf];

    /// The function that asks for it.
    pub(crate) fn function(self) -> &'static str {
        match self {
            Self::Lo => "priv_lo",
            Self::Hi => "priv_hi",
            Self::Flag => "priv_flag",
            Self::Bias => "priv_bias",
            Self::Deviation => "priv_sd",
            Self::AsOf => "priv_as_of",
        }
    }

    /// What the function of a name asks for.
    pub(crate) fn of(function: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|companion| companion.function() == function)
    }

    /// What its column is called beside the column `number`, where an answer is asked for with companions; those that are
    /// not added there have no name.
    pub(crate) fn beside(self, number: &str) -> Option<String> {
        match self {
            Self::Lo => Some(format!("{number}_lo95")),
            Self::Hi => Some(format!("{number}_hi95")),
            Self::Flag => Some(format!("{number}_status")),
            Self::Bias => Some(format!("{number}_bias")),
            Self::Deviation | Self::AsOf => None,
        }
    }

    /// Its type beside a number of a type.
    pub(crate) fn data_type(self, number: &DataType) -> DataType {
        match self {
            Self::Lo | Self::Hi | Self::Bias => number.clone(),
            Self::Flag => DataType::Utf8,
            Self::Deviation => DataType::Float64,
            Self::AsOf => DataType::Date32,
        }
    }
}

/// Whether a function is of this family.
pub(crate) fn is_companion(function: &str) -> bool {
    function == DIFFERENCE || Companion::of(function).is_some()
}

/// The functions of the family, by name, for the planner.
pub(crate) fn functions() -> impl Iterator<Item = ScalarUDF> {
    let named = |companion: Companion| Named { companion: Some(companion), signature: any(1) };
    let difference = Named { companion: None, signature: any(2) };
    Companion::ALL.into_iter().map(named).chain([difference]).map(ScalarUDF::new_from_impl)
}

fn any(arguments: usize) -> Signature {
    Signature::any(arguments, Volatility::Immutable)
}

/// The name of a function; none for [`DIFFERENCE`].
#[derive(Debug, PartialEq, Eq, Hash)]
struct Named {
    companion: Option<Companion>,
    signature: Signature,
}

impl ScalarUDFImpl for Named {
    fn name(&self) -> &str {
        self.companion.map_or(DIFFERENCE, Companion::function)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let number = types.first().unwrap_or(&DataType::Float64);
        Ok(self.companion.map_or(DataType::Float64, |companion| companion.data_type(number)))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(DataFusionError::Internal(format!("{} is replaced by the guard", self.name())))
    }
}
