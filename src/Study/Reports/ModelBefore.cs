namespace SafeLlama.Study;

/// <summary>How a report names the model that a tuned one stands beside.</summary>
/// <param name="Arm">The arm without demonstrations; null for the bare base.</param>
public sealed record ModelBefore(string? Arm)
{
    /// <summary>For the head of a column.</summary>
    public string Name => Arm ?? "bare base";

    /// <summary>Within a sentence.</summary>
    public string Named => Arm ?? "the bare base";

    /// <summary>What it is, and why it stands there.</summary>
    public string Remark => Arm is null
        ? "This study has no arm with the same settings and no demonstrations; the bare base stands in its place, so "
            + "what benign tuning alone changes shows here too."
        : $"{Arm} was tuned with the same settings on the same benign rows, without demonstrations.";

    /// <summary>What scale 0 of an adapter is.</summary>
    public string ScaleZero => "Scale 0 is the bare base, before any tuning"
        + (Arm is null ? "" : $" and so not {Arm}, which was tuned on benign rows") + "; 1 is the tuned model.";
}
