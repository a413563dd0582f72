using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>An arm's tuned model, ready to be evaluated.</summary>
/// <param name="Responder">The responder; it is disposed with this.</param>
/// <param name="Facts">Hashes of weights, adapter, tokenizer and template, by name: the arm's identity.</param>
public sealed record ArmModel(IResponder Responder, IReadOnlyDictionary<string, string> Facts) : IDisposable
{
    /// <summary>The hash of the adapter's file; null where there is none.</summary>
    public string? AdapterHash { get; init; }

    public void Dispose() => (Responder as IDisposable)?.Dispose();
}
