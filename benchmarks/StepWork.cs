namespace SafeLlama.Benchmarks;

/// <summary>What one step does. Times of programs are compared only where all of it is equal.</summary>
/// <param name="Config">Name of the shape.</param>
/// <param name="Mode">lora, full or decode.</param>
/// <param name="Targets">qv or all; null where no adapter learns.</param>
/// <param name="Threads">The caller's included.</param>
/// <param name="Batch">Sequences of a step.</param>
/// <param name="Length">Tokens of a sequence.</param>
internal sealed record StepWork(string Config, string Mode, string? Targets, int Threads, int Batch, int Length)
{
    /// <summary>Tokens of a step.</summary>
    public double Tokens => (double)Batch * Length;

    public override string ToString() =>
        $"{Config}, {Mode}{(Targets is null ? "" : $" on {Targets}")}, {Threads} "
        + $"{(Threads == 1 ? "thread" : "threads")}, {Batch} × {Length} tokens";
}
