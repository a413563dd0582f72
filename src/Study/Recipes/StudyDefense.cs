using System.Text.Json.Serialization;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Study;

/// <summary>SafeLoRA of an arm; the aligned model is that of the arm that it goes on from.</summary>
/// <param name="Threshold">Updates with a cosine up to this are projected; at 1 every one.</param>
/// <param name="Exact">Use the projection onto the columns of V instead of the published C.</param>
public sealed record StudySafeLora(double Threshold = 0.5, bool Exact = false);

/// <summary>What makes an arm's model harder to turn: the defenses of <c>train</c>.</summary>
/// <remarks>
/// SafeLoRA needs an aligned model and the one before alignment: the base with the adapter of the arm that is gone on
/// from, merged, and the base. The arm then learns a new adapter on the merged model, as <c>merge</c> and <c>train</c>
/// would one after the other.
/// </remarks>
public sealed record StudyDefense
{
    /// <summary>Safety-recovery rows, over <see cref="Pairs"/>; none where not given.</summary>
    public RecoverySettings? Recovery { get; init; }

    public ConstrainedSettings? Constrained { get; init; }

    public LisaSettings? Lisa { get; init; }

    /// <summary>Booster, whose harmful rows are the rejected answers of <see cref="Pairs"/>.</summary>
    public BoosterSettings? Booster { get; init; }

    /// <summary>SafeLoRA, in an arm that goes on from another.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StudySafeLora? SafeLora { get; init; }

    /// <summary>Pairs of a refusal and an answer that does what an unsafe prompt asks.</summary>
    public int Pairs { get; init; }

    /// <summary>As a run takes them.</summary>
    /// <param name="aligned">The folder of the aligned model, for SafeLoRA.</param>
    /// <param name="unaligned">The folder of the model before alignment.</param>
    public DefenseSettings Settings(string aligned = "", string unaligned = "") => new()
    {
        SafeLora = SafeLora is null ? null : new(aligned, unaligned, SafeLora.Threshold, SafeLora.Exact),
        Recovery = Recovery,
        Constrained = Constrained,
        Lisa = Lisa,
        Booster = Booster,
    };

    /// <summary>An arm that learns from safety pairs, which is how a source is asked for them.</summary>
    internal static StudyArm PairsOf(StudyArm arm, int pairs) =>
        arm with { Preference = new() { SafetyPairs = pairs } };

    /// <summary>The rows that an arm has and would not have without demonstrations.</summary>
    internal static HashSet<string> SafetyIds(
        IStudySource source, StudyArm arm, long seed, IReadOnlyList<TrainingExample> rows)
    {
        var without = source.Examples(arm with { SafetyExamples = 0, SafetyShare = null, Safety = null }, seed)
            .Select(row => row.Id).ToHashSet();
        return [.. rows.Select(row => row.Id).Where(id => !without.Contains(id))];
    }

    /// <summary>One sentence for each setting that is out of range, missing, or has no effect.</summary>
    public IEnumerable<string> Problems(StudyArm arm)
    {
        var readsPairs = Recovery is not null || Booster is not null;
        if (!Settings().Names().Any())
        {
            yield return "defense names none of recovery, constrained, lisa, booster and safe_lora.";
        }

        if (readsPairs != Pairs > 0)
        {
            yield return readsPairs ? "defense.pairs is 0, and recovery and booster read pairs."
                : "defense.pairs has no effect without recovery or booster.";
        }

        if (Lisa is not null && arm.SafetyExamples is null or 0 && arm.SafetyShare is null or 0)
        {
            yield return "defense.lisa takes turns with safety demonstrations, and the arm has none.";
        }

        if (SafeLora is not null && arm.After is null)
        {
            yield return "defense.safe_lora needs after: the arm whose model is the aligned one.";
        }

        if (SafeLora is not null && arm.Variant == LoraVariant.Dora)
        {
            yield return "defense.safe_lora projects a product B A, which variant dora divides by norms; take lora or "
                + "pissa.";
        }

        if (arm.Preference is not null)
        {
            yield return "learns from pairs, and a defense goes with demonstrations.";
        }

        if (arm.Untrained)
        {
            yield return "is untrained, so defense has no effect.";
        }

        if (Fault() is { } fault)
        {
            yield return $"defense: {fault}";
        }
    }

    private string? Fault()
    {
        try
        {
            Settings().Validate();
            return null;
        }
        catch (SafeLlamaException e)
        {
            return e.MessageFor(name => SettingText.NameOf(name).Replace('-', '_'));
        }
    }
}
