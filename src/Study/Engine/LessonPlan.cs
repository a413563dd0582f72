using SafeLlama.Data;

namespace SafeLlama.Study;

/// <summary>The details to show of a tuned model.</summary>
/// <param name="Probes">Requests asked at several scales of the adapter.</param>
/// <param name="Openings">The openings of refusals; none is the beginning of another.</param>
/// <param name="Example">The row shown token by token.</param>
/// <param name="Request">The request whose attention and logit lens are shown.</param>
public sealed record LessonPlan(
    IReadOnlyList<string> Probes, IReadOnlyList<string> Openings, InstructionExample Example, string Request)
{
    /// <summary>The adapter's scales tried: 0 is the bare base, 1 the tuned model.</summary>
    public static IReadOnlyList<double> Scales { get; } = [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
}
