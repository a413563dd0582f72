namespace SafeLlama.Lab;

/// <summary>What the page is told while an adapter is trained.</summary>
/// <param name="Kind">The kind of event, which names its other fields.</param>
internal record TrainEvent(string Kind);

/// <param name="Id">Names the run for <c>api/steer</c>.</param>
/// <param name="Steps">Optimizer steps in all.</param>
/// <param name="Rows">Rows of an epoch.</param>
/// <param name="Share">Share of demonstrations among them.</param>
/// <param name="Probes">The prompts that are asked as steps pass.</param>
/// <param name="Modules">The linears with an adapter.</param>
internal sealed record TrainBegin(
    string Id, int Steps, int Rows, double Share, IReadOnlyList<TrainProbe> Probes, IReadOnlyList<string> Modules)
    : TrainEvent("begin");

/// <param name="Label"><c>unsafe</c>, <c>safe</c> (sounds harmful) or <c>benign</c>.</param>
internal sealed record TrainProbe(string Text, string Label);

/// <param name="Step">Steps done.</param>
/// <param name="Loss">Of its batch, before the update, in nats per learned token.</param>
internal sealed record TrainStep(int Step, double Loss, double LearningRate, double GradientNorm) : TrainEvent("step");

/// <param name="Benign">Loss on the answers of 60 held-out harmless rows, in nats per token.</param>
/// <param name="Safety">Loss on the refusals of 60 held-out demonstrations.</param>
/// <param name="Refuses">Of each probe, whether the model refuses it now; null for no answer.</param>
internal sealed record TrainCheck(int Step, double Benign, double Safety, IReadOnlyList<bool?> Refuses)
    : TrainEvent("check");

internal sealed record TrainPaused(int Step) : TrainEvent("paused");

/// <param name="Compliance">Share of unsafe probes answered.</param>
/// <param name="OverRefusal">Share of safe probes refused.</param>
/// <param name="Seconds">Without pauses.</param>
/// <param name="AdapterHash">SHA-256 of what A and B hold, as a file would.</param>
internal sealed record TrainEnd(int Dose, double Compliance, double OverRefusal, double Seconds, string AdapterHash)
    : TrainEvent("end");

/// <summary>One optimizer step, opened.</summary>
/// <param name="Batch">Rows, tokens and learned tokens of its batch.</param>
/// <param name="Clip">min(1, 1 / (norm + 10⁻⁶)), the factor on every gradient.</param>
/// <param name="Modules">Norms of A, B and their gradients, for every linear.</param>
internal sealed record StepNumbers(
    int Step, string Batch, double Loss, double GradientNorm, double Clip, double LearningRate,
    IReadOnlyList<ModuleNorms> Modules) : TrainEvent("numbers")
{
    /// <summary>The linear whose weights are followed.</summary>
    public required string Module { get; init; }

    /// <summary>AdamW of one weight of A and one of B.</summary>
    public required IReadOnlyList<WeightStep> Weights { get; init; }
}

/// <summary>Frobenius norms before the update.</summary>
internal sealed record ModuleNorms(string Module, double A, double B, double GradientOfA, double GradientOfB);

/// <param name="Name">Such as <c>B[0, 0]</c>.</param>
/// <param name="Gradient">Before clipping.</param>
/// <param name="M">First moment, after this gradient.</param>
/// <param name="V">Second moment, after this gradient.</param>
/// <param name="Expected">The weight that the equation gives, in fp64.</param>
/// <param name="After">The weight that the engine holds.</param>
internal sealed record WeightStep(
    string Name, double Before, double Gradient, double M, double V, double Update, double Expected, double After);
