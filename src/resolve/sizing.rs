//! Does a model fit, and how long may its context be? Arithmetic over facts; every result is an estimate.
//!
//! Weights: 16-bit weights up to 0.80 of the devices' memory, heads divisible by the devices, agree with 220 of 220
//! cells of a published matrix of eight models on NVIDIA devices (facts of 2026-11-22). Cache: bytes per token of
//! the model's shape, in what the weights leave of vLLM's default share of memory (0.90).
//!
//! Missing facts are a verdict of their own, never "it fits".

use super::lock::LockedModel;
use crate::{catalog::Accelerator, manifest::Model};

/// The share of device memory that 16-bit weights may take.
const WEIGHTS_SHARE: f64 = 0.80;
/// vLLM's default `gpu-memory-utilization`.
const MEMORY_UTILIZATION: f64 = 0.90;
/// Memory for activations per device, in bytes: a guess on the safe side.
const ACTIVATIONS: u64 = 1 << 30;
/// Contexts that were lowered are multiples of this many tokens.
const CONTEXT_STEP: u64 = 1024;
/// Main memory for the server in addition to the weights, in bytes.
const SERVER: u64 = 2 << 30;

/// The devices of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Devices {
    /// How many.
    pub count: u32,
    /// Memory of each, in bytes.
    pub memory_each: u64,
}

impl Devices {
    /// Those of an accelerator, where their memory is known.
    pub(super) fn of(accelerator: &Accelerator) -> Option<Self> {
        let memory_each = accelerator.memory_mib_each? << 20;
        Some(Self { count: accelerator.count.max(1), memory_each })
    }
}

/// Why a model does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// The weights take more than their share.
    Weights {
        /// Bytes of the weights.
        needs: u64,
        /// Bytes they may take.
        has: u64,
    },
    /// Whatever the weights take, it is more than there is.
    Surely {
        /// The fewest bytes they can take.
        least: u64,
        /// Bytes of all devices.
        has: u64,
    },
    /// The heads do not divide by the devices.
    Heads {
        /// Devices that share one copy.
        tensor_parallel: u32,
    },
    /// Nothing is left for a context worth having.
    Context,
}

/// A missing fact, so that nothing can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingFact {
    /// Bytes of the weights as they are stored.
    Weights,
    /// Bytes of the weights after they were quantized at start.
    Quantized,
    /// Heads.
    Heads,
    /// Bytes of cache per token.
    Cache,
    /// The longest context, where none is set.
    Positions,
}

/// What came of judging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FitVerdict {
    /// By estimate.
    Fits,
    /// By estimate, or surely.
    Misfit(Misfit),
    /// It is unknown.
    Unknown(MissingFact),
}

/// What a decoder takes on its devices, as far as is known: nothing, by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// Bytes of the weights as the server loads them.
    weights: Option<u64>,
    /// Bytes they take at least.
    least: u64,
    /// They are quantized at start, to an unknown size.
    quantized: bool,
    /// Bytes of cache per token.
    cache: Option<u64>,
    pub(super) heads: Option<u32>,
    pub(super) kv_heads: Option<u32>,
    positions: Option<u64>,
}

impl Needs {
    /// Of a model served as the manifest says: by the weights as they are stored, at 16 bits where those have 32.
    pub(super) fn of(model: &LockedModel, spec: &Model) -> Self {
        let plain = matches!(model.dtype.as_deref(), Some("float32" | "float16" | "bfloat16"));
        let stored =
            model.weight_bytes.map(|bytes| if model.dtype.as_deref() == Some("float32") { bytes / 2 } else { bytes });
        let loaded = if plain { stored.or(model.parameters.map(|count| count.saturating_mul(2))) } else { stored };
        let wide = if matches!(spec.dtype.as_deref(), Some("float32" | "float")) { 2 } else { 1 };
        let quantized = plain && spec.quantization.is_some();
        let fewest = fewest_bits(model, plain, spec.quantization.as_deref());
        Self {
            weights: loaded.filter(|_| !quantized).map(|bytes| bytes.saturating_mul(if plain { wide } else { 1 })),
            least: match loaded {
                Some(bytes) if plain => bytes / 16 * fewest,
                Some(bytes) => bytes,
                None => model.parameters.unwrap_or(0) / 8 * fewest,
            },
            quantized,
            cache: model.kv_bytes_per_token.map(|bytes| bytes.saturating_mul(wide)),
            heads: model.heads,
            kv_heads: model.kv_heads,
            positions: model.max_positions,
        }
    }

    /// May so many devices share one copy? None where the heads are not known.
    pub(super) fn divides(&self, tensor_parallel: u32) -> Option<bool> {
        let heads = [self.heads, self.kv_heads];
        if heads.into_iter().flatten().any(|heads| heads.checked_rem(tensor_parallel) != Some(0)) {
            return Some(false);
        }
        (tensor_parallel == 1 || heads.iter().all(Option::is_some)).then_some(true)
    }

    /// The most devices of these that may share one copy, as far as is known.
    pub(super) fn widest(&self, devices: Devices) -> u32 {
        (1..=devices.count).rev().find(|degree| self.divides(*degree) != Some(false)).unwrap_or(1)
    }

    /// Does it fit on so many of the devices?
    pub(super) fn judge(&self, devices: Devices, tensor_parallel: u32) -> FitVerdict {
        let all = devices.memory_each * u64::from(tensor_parallel);
        let divides = self.divides(tensor_parallel);
        if divides == Some(false) {
            return FitVerdict::Misfit(Misfit::Heads { tensor_parallel });
        }
        let has = share(all, WEIGHTS_SHARE);
        match self.weights {
            None if self.least > all => return FitVerdict::Misfit(Misfit::Surely { least: self.least, has: all }),
            Some(needs) if needs > has => return FitVerdict::Misfit(Misfit::Weights { needs, has }),
            Some(_) if self.longest_context(devices, tensor_parallel).is_some_and(|tokens| tokens < CONTEXT_STEP) => {
                return FitVerdict::Misfit(Misfit::Context);
            }
            _ => {}
        }
        match self.unknown().or(divides.is_none().then_some(MissingFact::Heads)) {
            Some(unknown) => FitVerdict::Unknown(unknown),
            None => FitVerdict::Fits,
        }
    }

    /// What cannot be judged on any devices.
    pub(super) fn unknown(&self) -> Option<MissingFact> {
        match (self.weights, self.cache) {
            (None, _) => Some(if self.quantized { MissingFact::Quantized } else { MissingFact::Weights }),
            (_, None) => Some(MissingFact::Cache),
            _ => None,
        }
    }

    /// The longest context it was made for, in tokens.
    pub(super) fn positions(&self) -> Option<u64> {
        self.positions
    }

    /// The longest context whose cache fits beside the weights, in tokens, if known.
    pub(super) fn longest_context(&self, devices: Devices, tensor_parallel: u32) -> Option<u64> {
        let usable = share(devices.memory_each * u64::from(tensor_parallel), MEMORY_UTILIZATION);
        let taken = self.weights?.saturating_add(ACTIVATIONS * u64::from(tensor_parallel));
        let tokens = usable.saturating_sub(taken) / self.cache?.max(1);
        Some(tokens - tokens % CONTEXT_STEP)
    }
}

/// Bits per weight at the least: of vLLM's methods those with `fp8` or `int8` in their names keep eight, others as few
/// as two (GPTQ); the mixed types of the table have no fewer than four.
fn fewest_bits(model: &LockedModel, plain: bool, quantization: Option<&str>) -> u64 {
    match quantization {
        None if plain => 16,
        Some(method) if plain && (method.contains("fp8") || method.contains("int8")) => 8,
        _ if !plain && model.dtype.is_some() => 4,
        _ => 2,
    }
}

/// Main memory an encoder or a speech model needs on processors: 32-bit weights twice, and the server.
pub(super) fn cpu_memory(model: &LockedModel) -> Option<u64> {
    Some(model.parameters?.saturating_mul(4 * 2).saturating_add(SERVER))
}

/// Memory an encoder or a speech model needs on one device: 16-bit weights, half as much again, and a buffer.
pub(super) fn single_device_memory(model: &LockedModel) -> Option<u64> {
    Some(model.parameters?.saturating_mul(3).saturating_add(ACTIVATIONS))
}

/// Memory without which an encoder or a speech model surely does not start: its weights at 16 bits.
pub(super) fn least_memory(model: &LockedModel) -> Option<u64> {
    Some(model.parameters?.saturating_mul(2))
}

fn share(bytes: u64, of: f64) -> u64 {
    (bytes as f64 * of) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn qwen3_8b() -> LockedModel {
        LockedModel {
            commit: None,
            task: "text-generation".into(),
            parameters: Some(8_190_735_360),
            dtype: Some("bfloat16".into()),
            weight_bytes: Some(16_381_470_720),
            heads: Some(32),
            kv_heads: Some(8),
            kv_bytes_per_token: Some(147_456),
            max_positions: Some(40_960),
            license: None,
        }
    }

    fn needs(model: &LockedModel) -> Needs {
        Needs::of(model, &Model::default())
    }

    const A10G: Devices = Devices { count: 1, memory_each: 22_888 << 20 };

    #[test]
    fn eight_billion_parameters_on_one_a10g_leave_room_for_a_short_context() {
        assert_eq!(needs(&qwen3_8b()).judge(A10G, 1), FitVerdict::Fits);
        assert_eq!(needs(&qwen3_8b()).longest_context(A10G, 1), Some(27_648));
    }

    #[test]
    fn sixteen_gigabytes_are_too_few_and_three_devices_do_not_divide() {
        let (t4, needs) = (Devices { count: 3, memory_each: 16 << 30 }, needs(&qwen3_8b()));
        assert!(matches!(needs.judge(t4, 1), FitVerdict::Misfit(Misfit::Weights { .. })));
        assert_eq!(needs.judge(t4, 3), FitVerdict::Misfit(Misfit::Heads { tensor_parallel: 3 }));
        assert_eq!(needs.divides(0), Some(false));
        assert_eq!(needs.widest(t4), 2);
    }

    #[test]
    fn what_is_not_known_never_fits() {
        let unknown = |change: fn(&mut LockedModel)| {
            let mut model = qwen3_8b();
            change(&mut model);
            needs(&model).judge(Devices { count: 8, memory_each: 80 << 30 }, 8)
        };
        let mixed = |model: &mut LockedModel| {
            model.dtype = Some("mxfp4 (experts) + bfloat16".into());
            model.weight_bytes = None;
        };
        assert_eq!(unknown(mixed), FitVerdict::Unknown(MissingFact::Weights));
        assert_eq!(
            unknown(|model| (model.dtype, model.weight_bytes) = (None, None)),
            FitVerdict::Unknown(MissingFact::Weights)
        );
        assert_eq!(unknown(|model| model.kv_bytes_per_token = None), FitVerdict::Unknown(MissingFact::Cache));
        assert_eq!(unknown(|model| model.heads = None), FitVerdict::Unknown(MissingFact::Heads));
        assert_eq!(unknown(|model| model.kv_heads = None), FitVerdict::Unknown(MissingFact::Heads));
        assert_eq!(unknown(|model| model.weight_bytes = None), FitVerdict::Fits, "16 bits a parameter");
        let mut model = qwen3_8b();
        (model.parameters, model.weight_bytes) = (None, None);
        assert_eq!(needs(&model).judge(A10G, 1), FitVerdict::Unknown(MissingFact::Weights));
    }

    #[test]
    fn quantized_weights_are_judged_as_they_are_stored_and_else_not_at_all() {
        let (stored, plain) = (LockedModel { dtype: Some("float8_e4m3 + bfloat16".into()), ..qwen3_8b() }, qwen3_8b());
        let by = |model: &LockedModel, method: &str| {
            let spec = Model { quantization: Some(method.into()), ..Model::default() };
            Needs::of(model, &spec).judge(A10G, 1)
        };
        assert_eq!(by(&stored, "fp8"), FitVerdict::Fits);
        assert_eq!(by(&plain, "awq"), FitVerdict::Unknown(MissingFact::Quantized));
        let large = LockedModel { weight_bytes: Some(65_500_000_000), ..plain };
        assert!(matches!(by(&large, "fp8"), FitVerdict::Misfit(Misfit::Surely { least: 32_750_000_000, .. })));
        assert_eq!(by(&large, "awq"), FitVerdict::Unknown(MissingFact::Quantized));
    }
}
