//! Set-keyed noise in nested tiers (privacy.md 6.5).
//!
//! A set has one chain of draws: the draw of a tier is that of the tier below plus an increment from a seed of its own.
//! Seeds hold the universe, the number of units and the sum of their secret keys; never a question's text, a user, a
//! time, a Snapshot or a profile. The tables are maximum entropy, `T_j = floor(2^64 F)`, computed with 80 digits and
//! embedded; tests pin their checksums, moments and vectors.
//!
//! Absent: floats, any branch on the data, any noise that could be asked for twice.

use policy::Key;

use crate::sketch::smeared;

/// A tier: the variance of the noise of a released number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Variance 4: the tier of ordinary cells.
    V4,
    /// Variance 9: the first tier of sensitive cells.
    V9,
    /// Variance 16: the first tier of highly sensitive cells.
    V16,
    /// Variance 25.
    V25,
    /// Variance 36.
    V36,
    /// Variance 64.
    V64,
    /// Variance 144: the last.
    V144,
}

impl Tier {
    /// All tiers, ascending.
    pub const ALL: [Self; 7] = [Self::V4, Self::V9, Self::V16, Self::V25, Self::V36, Self::V64, Self::V144];

    /// The lowest tier at which cells of a profile are answered (privacy.md 6.8: `V_0` is 4, 9, 16).
    pub fn first_of(profile: policy::Profile) -> Self {
        match profile {
            policy::Profile::Std => Self::V4,
            policy::Profile::Sens => Self::V9,
            policy::Profile::High => Self::V16,
        }
    }

    /// The tier with this variance.
    pub fn from_variance(variance: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.variance() == u64::from(variance))
    }

    /// The variance V of the noise.
    pub const fn variance(self) -> u64 {
        match self {
            Self::V4 => 4,
            Self::V9 => 9,
            Self::V16 => 16,
            Self::V25 => 25,
            Self::V36 => 36,
            Self::V64 => 64,
            Self::V144 => 144,
        }
    }

    /// The bound D: the noise is never larger.
    pub const fn bound(self) -> u64 {
        match self {
            Self::V4 => 10,
            Self::V9 => 15,
            Self::V16 => 20,
            Self::V25 => 25,
            Self::V36 => 31,
            Self::V64 => 41,
            Self::V144 => 61,
        }
    }

    /// Half-width of the 95 % interval (it covers 95.0 to 97.7 %, by the tier's exact law).
    pub const fn half_width_95(self) -> u64 {
        match self {
            Self::V4 => 4,
            Self::V9 => 6,
            Self::V16 => 8,
            Self::V25 => 10,
            Self::V36 => 12,
            Self::V64 => 15,
            Self::V144 => 23,
        }
    }

    /// The floor that the noise itself needs: `K_eff = max(K, D + 1)`, so that a released number is at least 1.
    pub const fn floor(self, k: u64) -> u64 {
        if k > self.bound() { k } else { self.bound() + 1 }
    }

    fn increment(self) -> &'static Table {
        &TABLES[self as usize]
    }
}

/// What a set is called inside the vault: the sum of its units' record keys and their number.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SetName {
    /// Number of units.
    pub(crate) n: u64,
    /// Sum of record keys modulo 2^128.
    pub(crate) c: u128,
}

/// The noise of a set at a tier, in steps. `seed` is what the seeds of its space begin with
/// ([`Space::seed`](crate::measured::Space)).
pub(crate) fn noise(key: &Key, seed: &[u8], set: SetName, tier: Tier) -> i64 {
    let base = base_seed(seed, set);
    let mut z = Tier::V4.increment().draw(first_word(key, &[&base]));
    for step in Tier::ALL.into_iter().filter(|&step| step > Tier::V4 && step <= tier) {
        let variance = (step.variance() as u16).to_le_bytes();
        z += step.increment().draw(first_word(key, &[b"inc1\0", &variance, &base]));
    }
    z
}

/// `seed || LE64(n) || LE128(c)`; of units the seed is `"cnt1\0" || universe || "\0"`.
fn base_seed(seed: &[u8], set: SetName) -> Vec<u8> {
    let mut base = seed.to_vec();
    base.extend_from_slice(&set.n.to_le_bytes());
    base.extend_from_slice(&set.c.to_le_bytes());
    base
}

/// `LE64(BLAKE3_keyed(key, parts)[0..8])`.
pub(crate) fn first_word(key: &Key, parts: &[&[u8]]) -> u64 {
    u64::from_le_bytes(keyed(key, parts).as_bytes()[..8].try_into().expect("a hash has 32 bytes"))
}

/// The record key of a unit in its universe (privacy.md 6.5).
pub(crate) fn record_key(key: &Key, universe: &str, sid: u64) -> u128 {
    let hash = keyed(key, &[b"rk1\0", universe.as_bytes(), b"\0", &sid.to_le_bytes()]);
    u128::from_le_bytes(hash.as_bytes()[..16].try_into().expect("a hash has 32 bytes"))
}

/// Whether a unit is *marked*, as one in four is: by two bits of her record key, which stays what it is for ever. Sets that have
/// the same of all marked units have one answer (docs/decisions, `who-is-not-marked`).
#[inline]
pub(crate) fn is_marked(record_key: u128) -> bool {
    record_key >> 126 == 0
}

/// `BLAKE3_keyed(key, parts)`.
///
/// Nearly everything that is hashed here is shorter than a block of BLAKE3, and is put together on the stack: a hasher, made
/// for a text of any length, takes longer to set up than to run.
fn keyed(key: &Key, parts: &[&[u8]]) -> blake3::Hash {
    let mut block = [0; blake3::BLOCK_LEN];
    let mut rest = block.as_mut_slice();
    for part in parts {
        let Some((here, after)) = rest.split_at_mut_checked(part.len()) else { return keyed_long(key, parts) };
        here.copy_from_slice(part);
        rest = after;
    }
    let length = blake3::BLOCK_LEN - rest.len();
    blake3::keyed_hash(key, &block[..length])
}

fn keyed_long(key: &Key, parts: &[&[u8]]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

/// The sticky jitter t in 0..=4 of a set's floor (privacy.md 6.6, rule 1): leading one-bits, at most four.
pub(crate) fn floor_jitter(key: &Key, universe: &str, set: SetName) -> u64 {
    let word = first_word(key, &[b"thr1\0", universe.as_bytes(), b"\0", &set.c.to_le_bytes()]);
    u64::from(word.leading_ones().min(4))
}

/// What is added to noise that comes in steps larger than one: less than half a step, any as likely, and like the noise a
/// matter of the set alone, the same at all tiers. Without it, what is left of a sum on division by the step would be exact.
pub(crate) fn dither(key: &Key, seed: &[u8], set: SetName, step: i128) -> i128 {
    let word = first_word(key, &[b"dit1\0", &base_seed(seed, set)]);
    // A step is far below 2^62: half of a public range, in millionths.
    ((i128::from(word) * step) >> 64) - step / 2
}

/// By how many units a cell must be more than one or two stories (privacy.md 6.6, rules 2 and 3), 2..=10: a sticky draw,
/// so that nobody learns from a cell that is shown that one more story is in it. `rule` tells draws apart.
pub(crate) fn beside_jitter(key: &Key, rule: &[u8], universe: &str, set: SetName) -> u64 {
    smeared(first_word(key, &[rule, b"\0", universe.as_bytes(), b"\0", &set.c.to_le_bytes()])) - 2
}

/// The thresholds of one maximum-entropy draw on -D..=D.
struct Table {
    bound: i64,
    thresholds: &'static [u64],
}

impl Table {
    /// `#{ j : u >= T_j } - D` over all thresholds, without a branch.
    fn draw(&self, u: u64) -> i64 {
        self.thresholds.iter().map(|&t| i64::from(u >= t)).sum::<i64>() - self.bound
    }
}

static TABLES: [Table; 7] = [
    Table { bound: 10, thresholds: &T_4 },
    Table { bound: 5, thresholds: &T_9 },
    Table { bound: 5, thresholds: &T_16 },
    Table { bound: 5, thresholds: &T_25 },
    Table { bound: 6, thresholds: &T_36 },
    Table { bound: 10, thresholds: &T_64 },
    Table { bound: 20, thresholds: &T_144 },
];

#[rustfmt::skip]
mod tables {
/// The base table: variance 4, bound 10, b = -0.12499957819596054874967182121.
pub(super) static T_4: [u64; 20] = [
    0x0000_0c78_d5e3_1bf2, 0x0000_928e_c6e4_75fe, 0x0004_f53c_4e05_de0c, 0x0021_8df7_e891_042e,
    0x00b2_c783_73bd_5511, 0x02f1_26df_dc30_ba66, 0x09da_5645_af04_cf32, 0x1a6e_6106_d2e2_b31a,
    0x3967_46d0_49d0_1770, 0x6677_bd6e_0d6b_3860, 0x9988_4291_f294_c79f, 0xc698_b92f_b62f_e88f,
    0xe591_9ef9_2d1d_4ce5, 0xf625_a9ba_50fb_30cd, 0xfd0e_d920_23cf_4599, 0xff4d_387c_8c42_aaee,
    0xffde_7208_176e_fbd1, 0xfffb_0ac3_b1fa_21f3, 0xffff_6d71_391b_8a01, 0xffff_f387_2a1c_e40d,
];
/// Increment to tier 9: variance 5, bound 5, b = -0.08665593250447585231262710932.
pub(super) static T_9: [u64; 10] = [
    0x04fa_1c43_982b_bbf0, 0x0fd5_4746_85d1_7739, 0x23be_be06_6355_2122, 0x4274_9955_b053_3c8b,
    0x6a48_8c90_fc18_c6aa, 0x95b7_736f_03e7_3955, 0xbd8b_66aa_4fac_c374, 0xdc41_41f9_9caa_dedd,
    0xf02a_b8b9_7a2e_88c6, 0xfb05_e3bc_67d4_440f,
];
/// Increment to tier 16: variance 7, bound 5, b = -0.04414537660876152236619917883.
pub(super) static T_16: [u64; 10] = [
    0x0b31_e094_612c_1fc9, 0x1bd9_c583_f9c7_8a84, 0x3289_905d_4ec5_7efc, 0x4ed3_c7fc_6757_e883,
    0x6f1f_8a65_011a_e3d6, 0x90e0_759a_fee5_1c29, 0xb12c_3803_98a8_177c, 0xcd76_6fa2_b13a_8103,
    0xe426_3a7c_0638_757b, 0xf4ce_1f6b_9ed3_e036,
];
/// Increment to tier 25: variance 9, bound 5, b = -0.01329151926351604110455554482.
pub(super) static T_25: [u64; 10] = [
    0x12f0_2c69_1dc0_0069, 0x2848_6ac6_1575_7ce4, 0x3fb5_7583_90d8_24c8, 0x58be_9773_3fae_8f77,
    0x72cc_72f7_cac5_2bb2, 0x8d33_8d08_353a_d44d, 0xa741_688c_c051_7088, 0xc04a_8a7c_6f27_db37,
    0xd7b7_9539_ea8a_831b, 0xed0f_d396_e23f_ff96,
];
/// Increment to tier 36: variance 11, bound 6, b = -0.02133122694098686726297946648.
pub(super) static T_36: [u64; 12] = [
    0x0bea_833e_691c_6785, 0x1afb_c1ed_89d9_1524, 0x2d3d_60f9_3a10_d124, 0x426f_a73b_532d_8fea,
    0x5a04_a9e6_dc14_8db5, 0x7328_a249_d88e_9e46, 0x8cd7_5db6_2771_61b9, 0xa5fb_5619_23eb_724a,
    0xbd90_58c4_acd2_7015, 0xd2c2_9f06_c5ef_2edb, 0xe504_3e12_7626_eadb, 0xf415_7cc1_96e3_987a,
];
/// Increment to tier 64: variance 28, bound 10, b = -0.00902356326059244725111672268.
pub(super) static T_64: [u64; 20] = [
    0x069c_17e0_75ab_ead8, 0x0e74_a533_08bf_059f, 0x179a_32ee_ca4c_b1b7, 0x2213_2401_530f_f980,
    0x2dd9_c339_436f_dd78, 0x3ada_f7c7_f598_7809, 0x48f5_d3b0_0835_01c0, 0x57fc_1f7e_dec1_f1e9,
    0x67b3_ee12_e52d_98fb, 0x77da_26e3_d24f_cfba, 0x8825_d91c_2db0_3045, 0x984c_11ed_1ad2_6704,
    0xa803_e081_213e_0e16, 0xb70a_2c4f_f7ca_fe3f, 0xc525_0838_0a67_87f6, 0xd226_3cc6_bc90_2287,
    0xddec_dbfe_acf0_067f, 0xe865_cd11_35b3_4e48, 0xf18b_5acc_f740_fa60, 0xf963_e81f_8a54_1527,
];
/// Increment to tier 144: variance 80, bound 20, b = -0.00490498974414924680200542011.
pub(super) static T_144: [u64; 40] = [
    0x017c_1531_ec0d_a23b, 0x0348_4b0c_8ef8_1074, 0x0570_1566_72f4_8539, 0x07ff_383c_76e6_ca68,
    0x0b01_76c1_6ae9_3815, 0x0e82_335b_4a8f_15aa, 0x128c_02e8_baf3_3d80, 0x1728_36e0_82b8_d0d6,
    0x1c5e_6305_3776_a935, 0x2233_e466_310c_a8bd, 0x28ab_7020_7488_e8a4, 0x2fc4_b0ad_9f35_f2aa,
    0x377b_f878_2b2b_9905, 0x3fca_0fd8_06ec_bc90, 0x48a4_2386_f5ce_66e7, 0x51fb_d713_8995_f52a,
    0x5bbf_7cf1_5091_87a3, 0x65da_739d_0335_84e3, 0x7035_a50b_ffd9_9682, 0x7ab8_2373_af00_65e9,
    0x8547_dc8c_50ff_9a16, 0x8fca_5af4_0026_697d, 0x9a25_8c62_fcca_7b1c, 0xa440_830e_af6e_785c,
    0xae04_28ec_766a_0ad5, 0xb75b_dc79_0a31_9918, 0xc035_f027_f913_436f, 0xc884_0787_d4d4_66fa,
    0xd03b_4f52_60ca_0d55, 0xd754_8fdf_8b77_175b, 0xddcc_1b99_cef3_5742, 0xe3a1_9cfa_c889_56ca,
    0xe8d7_c91f_7d47_2f29, 0xed73_fd17_450c_c27f, 0xf17d_cca4_b570_ea55, 0xf4fe_893e_9516_c7ea,
    0xf800_c7c3_8919_3597, 0xfa8f_ea99_8d0b_7ac6, 0xfcb7_b4f3_7107_ef8b, 0xfe83_eace_13f2_5dc4,
];
}
use tables::{T_4, T_9, T_16, T_25, T_36, T_64, T_144};

#[cfg(test)]
mod tests {
    //! The test vectors of privacy.md 6.5 and 6.6, with its raw keys.

    use super::*;

    const VICTIMS: &[u8] = b"cnt1\0victims\0";

    fn raw(first: u8) -> Key {
        Key::from_bytes(std::array::from_fn(|i| first + i as u8))
    }

    fn set(sids: std::ops::RangeInclusive<u64>) -> SetName {
        let c = sids.clone().fold(0u128, |c, sid| c.wrapping_add(record_key(&raw(0), "victims", sid)));
        SetName { n: sids.count() as u64, c }
    }

    #[test]
    fn record_keys_add_up_to_the_sums_of_the_page() {
        assert_eq!(record_key(&raw(0), "victims", 1), 0x1396_943b_803a_8360_37e4_3b83_8a58_6e9e);
        assert_eq!(set(1..=11).c, 0x3ff2_2e4e_2475_9a6d_3e4f_9bc6_4fe7_ae2f);
        assert_eq!(set(1..=12).c, 0xc599_bf9d_068d_0c4c_cc60_e8c3_8584_ed5c);
        assert_eq!(set(2..=12).c, 0xb203_2b61_8652_88ec_947c_ad3f_fb2c_7ebe);
        assert_eq!(set(1..=100).c, 0xa93a_f7e2_9f30_1614_8203_ffc4_4122_e740);
        assert_eq!(set(1..=40).c, 0xf7b2_8c7d_466a_2d33_600a_3e0f_ff3b_4144);
    }

    #[test]
    fn the_noise_of_the_base_tier_is_that_of_the_page() {
        let noise_key = raw(0x20);
        for (sids, u, v) in [
            (1..=11, 0xca26_c527_fcb3_88fd, 2),
            (1..=12, 0xf139_346f_6a0b_b276, 3),
            (2..=12, 0x9174_ec8f_687e_1e78, 0),
            (1..=100, 0x1f35_96b2_b3e4_dd58, -2),
        ] {
            let set = set(sids);
            assert_eq!(first_word(&noise_key, &[&base_seed(VICTIMS, set)]), u);
            assert_eq!(noise(&noise_key, VICTIMS, set, Tier::V4), v);
        }
    }

    #[test]
    fn higher_tiers_are_nested_as_on_the_page() {
        let released = |set: SetName| Tier::ALL.map(|tier| set.n as i64 + noise(&raw(0x20), VICTIMS, set, tier));
        assert_eq!(released(set(1..=100)), [98, 103, 100, 101, 100, 94, 97]);
        assert_eq!(released(set(1..=40)), [39, 41, 41, 38, 44, 36, 36]);
    }

    #[test]
    fn the_first_tiers_of_the_profiles_are_those_of_the_page() {
        use policy::Profile;
        let variances = [Profile::Std, Profile::Sens, Profile::High].map(|profile| Tier::first_of(profile).variance());
        assert_eq!(variances, [4, 9, 16]);
    }

    #[test]
    fn the_jitter_of_the_floor_is_that_of_the_page() {
        for (sids, t) in [(1..=11, 0), (1..=12, 4), (1..=40, 1)] {
            assert_eq!(floor_jitter(&raw(0x40), "victims", set(sids)), t);
        }
    }

    #[test]
    fn the_tables_have_the_checksums_of_the_page() {
        let expected = [
            "414fe1f5f63ae5c8",
            "9d50584bb1546bf2",
            "68748b65b5c39637",
            "a14ba26f8dc3b5a0",
            "bcad8d1420328e1d",
            "97e2110b1294851b",
            "7865e67711dfee6e",
        ];
        for (table, expected) in TABLES.iter().zip(expected) {
            let bytes: Vec<u8> = table.thresholds.iter().flat_map(|t| t.to_le_bytes()).collect();
            assert_eq!(&blake3::hash(&bytes).to_hex()[..16], expected);
        }
    }

    /// The law of an increment as probabilities (double precision is enough for moments).
    fn law(table: &Table) -> Vec<f64> {
        let mut edges: Vec<f64> = table.thresholds.iter().map(|&t| t as f64 / 2f64.powi(64)).collect();
        edges.push(1.0);
        let below = std::iter::once(0.0).chain(edges.clone());
        edges.iter().zip(below).map(|(edge, below)| edge - below).collect()
    }

    #[test]
    fn each_tier_has_mean_zero_its_variance_its_bound_and_covers_95_percent() {
        let mut sum = vec![1.0];
        for tier in Tier::ALL {
            let step = law(tier.increment());
            let mut next = vec![0.0; sum.len() + step.len() - 1];
            for (i, a) in sum.iter().enumerate() {
                for (j, b) in step.iter().enumerate() {
                    next[i + j] += a * b;
                }
            }
            sum = next;
            let bound = tier.bound() as f64;
            let moment = |power| sum.iter().enumerate().map(|(i, p)| p * (i as f64 - bound).powi(power)).sum::<f64>();
            assert_eq!(sum.len() as u64, 2 * tier.bound() + 1, "{tier:?}");
            assert!(moment(1).abs() < 1e-9, "{tier:?}");
            assert!((moment(2) - tier.variance() as f64).abs() < 1e-9, "{tier:?}");
            let inside = |half: u64| {
                let near = |i: usize| (i as f64 - bound).abs() <= half as f64;
                sum.iter().enumerate().filter(|(i, _)| near(*i)).map(|(_, p)| p).sum::<f64>()
            };
            assert!(inside(tier.half_width_95()) >= 0.95 && inside(tier.half_width_95() - 1) < 0.95, "{tier:?}");
        }
    }

    #[test]
    fn noise_is_really_there() {
        // A format error once gave silent zero noise elsewhere (privacy.md 6.5): count what 10,000 sets get.
        let key = raw(0x20);
        let draws: Vec<i64> = (0..10_000u128)
            .map(|c| noise(&key, VICTIMS, SetName { n: 50, c: c * 0x9e37_79b9_7f4a_7c15 }, Tier::V4))
            .collect();
        let zeros = draws.iter().filter(|&&v| v == 0).count();
        let variance = draws.iter().map(|v| v * v).sum::<i64>() as f64 / 1e4;
        assert!((1_800..2_200).contains(&zeros), "{zeros}");
        assert!((3.7..4.3).contains(&variance), "{variance}");
    }

    #[test]
    fn one_person_more_is_another_draw() {
        let key = raw(0x20);
        let equal = (1..600u64)
            .filter(|&n| noise(&key, VICTIMS, set(1..=n), Tier::V4) == noise(&key, VICTIMS, set(1..=n + 1), Tier::V4))
            .count();
        // Two independent draws of this law agree with probability 0.14.
        assert!((60..110).contains(&equal), "{equal}");
    }
}
