namespace SafeLlama.Benchmarks;

/// <summary>What one call computes and moves, so that columns can tell how far it is from the limit.</summary>
/// <param name="Flops">Floating-point operations; 0 where memory is the limit.</param>
/// <param name="Bytes">Bytes read and written, each counted once.</param>
public readonly record struct Work(double Flops, double Bytes);
