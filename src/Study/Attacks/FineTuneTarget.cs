using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Study;

/// <summary>The model that a fine-tuning attack goes on from.</summary>
/// <param name="Model">Its folder.</param>
/// <param name="Adapter">The adapter that goes on learning; null for a new one.</param>
/// <param name="Load">What the linears become as they are read.</param>
/// <param name="Template">The template's name, as the session was opened with.</param>
/// <param name="Backends">Makes a backend; each training and each tuned model has its own.</param>
public sealed record FineTuneTarget(
    string Model, string? Adapter, LoadForm Load, string Template, Func<IBackend> Backends);
