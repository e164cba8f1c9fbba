//! Does a model fit, and how long may its context be? Arithmetic over facts; every result is an estimate.
//!
//! Weights: 16-bit weights up to 0.80 of the devices' memory, heads divisible by the devices, agree with 220 of 220
//! cells of a published matrix of eight models on NVIDIA devices (facts of 2026-11-22). Cache: bytes per token of
//! the model's shape, in what vLLM's default share of memory (0.90) leaves besides the weights.

use super::lock::LockedModel;

/// The share of device memory that 16-bit weights may take.
const WEIGHTS_SHARE: f64 = 0.80;
/// vLLM's `gpu-memory-utilization` when nobody says otherwise.
const MEMORY_UTILIZATION: f64 = 0.90;
/// Memory for activations per device, in bytes: a guess on the safe side.
const ACTIVATIONS: u64 = 1 << 30;
/// Contexts that were lowered are multiples of this many tokens.
const CONTEXT_STEP: u64 = 1024;
/// Main memory for the server besides the weights, in bytes.
const SERVER: u64 = 2 << 30;

/// The devices of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Devices {
    /// How many.
    pub count: u32,
    /// Memory of each, in bytes.
    pub memory_each: u64,
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
    /// The heads do not divide by the devices.
    Heads {
        /// Devices that share one copy.
        tensor_parallel: u32,
    },
    /// Nothing is left for a context worth having.
    Context,
}

/// Bytes of the weights as an LLM server loads them, where the facts say.
pub(super) fn weights(model: &LockedModel) -> Option<u64> {
    match model.dtype.as_str() {
        "float32" | "float16" | "bfloat16" => Some(model.parameters * 2),
        _ => model.weight_bytes,
    }
}

/// May so many devices share one copy?
pub(super) fn divides(model: &LockedModel, tensor_parallel: u32) -> bool {
    [model.heads, model.kv_heads].into_iter().flatten().all(|heads| heads % tensor_parallel == 0)
}

/// The most devices of these that may share one copy.
pub(super) fn widest(model: &LockedModel, devices: Devices) -> u32 {
    (1..=devices.count).rev().find(|degree| divides(model, *degree)).unwrap_or(1)
}

/// Does an LLM fit on so many of the devices? Unknown sizes fit: nothing speaks against them.
pub(super) fn llm_fits(model: &LockedModel, devices: Devices, tensor_parallel: u32) -> Result<(), Misfit> {
    if !divides(model, tensor_parallel) {
        return Err(Misfit::Heads { tensor_parallel });
    }
    let has = share(devices.memory_each * u64::from(tensor_parallel), WEIGHTS_SHARE);
    match weights(model) {
        Some(needs) if needs > has => Err(Misfit::Weights { needs, has }),
        _ if longest_context(model, devices, tensor_parallel).is_some_and(|tokens| tokens < CONTEXT_STEP) => {
            Err(Misfit::Context)
        }
        _ => Ok(()),
    }
}

/// The longest context whose cache fits besides the weights, in tokens, where the facts are enough to say.
pub(super) fn longest_context(model: &LockedModel, devices: Devices, tensor_parallel: u32) -> Option<u64> {
    let usable = share(devices.memory_each * u64::from(tensor_parallel), MEMORY_UTILIZATION);
    let taken = weights(model)? + ACTIVATIONS * u64::from(tensor_parallel);
    let tokens = usable.saturating_sub(taken) / model.kv_bytes_per_token?.max(1);
    Some(tokens - tokens % CONTEXT_STEP)
}

/// Main memory an encoder or a speech model needs on processors: 32-bit weights twice, and the server.
pub(super) fn cpu_memory(model: &LockedModel) -> u64 {
    model.parameters * 4 * 2 + SERVER
}

/// Memory an encoder or a speech model needs on one device: 16-bit weights, half as much again, and a buffer.
pub(super) fn single_device_memory(model: &LockedModel) -> u64 {
    model.parameters * 3 + ACTIVATIONS
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
            parameters: 8_190_735_360,
            dtype: "bfloat16".into(),
            weight_bytes: Some(16_381_470_720),
            heads: Some(32),
            kv_heads: Some(8),
            kv_bytes_per_token: Some(147_456),
            max_positions: Some(40_960),
            license: None,
        }
    }

    #[test]
    fn eight_billion_parameters_on_one_a10g_leave_room_for_a_short_context() {
        let a10g = Devices { count: 1, memory_each: 22_888 << 20 };
        assert_eq!(llm_fits(&qwen3_8b(), a10g, 1), Ok(()));
        assert_eq!(longest_context(&qwen3_8b(), a10g, 1), Some(27_648));
    }

    #[test]
    fn sixteen_gigabytes_are_too_few_and_three_devices_do_not_divide() {
        let t4 = Devices { count: 3, memory_each: 16 << 30 };
        assert!(matches!(llm_fits(&qwen3_8b(), t4, 1), Err(Misfit::Weights { .. })));
        assert_eq!(llm_fits(&qwen3_8b(), t4, 3), Err(Misfit::Heads { tensor_parallel: 3 }));
        assert_eq!(widest(&qwen3_8b(), t4), 2);
    }
}
