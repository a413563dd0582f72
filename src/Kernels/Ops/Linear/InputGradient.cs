namespace SafeLlama.Kernels;

/// <summary>What becomes of dx.</summary>
/// <param name="Accumulate">Whether to add to dx, or to overwrite it.</param>
/// <param name="Gated">Where given, dx is not written: it goes on to these gradients as it is made.</param>
public readonly record struct InputGradient(bool Accumulate, GatedProduct? Gated = null);
