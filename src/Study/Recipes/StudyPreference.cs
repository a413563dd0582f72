using System.Text.Json.Serialization;
using SafeLlama.Common;
using SafeLlama.Training;

namespace SafeLlama.Study;

/// <summary>How an arm learns from pairs: how many, and by which loss.</summary>
public sealed record StudyPreference
{
    /// <summary>The loss; <c>sft</c> learns the chosen answers alone.</summary>
    public Objective Objective { get; init; }

    /// <summary>Pairs of a right answer and a refusal of a safe prompt that sounds harmful.</summary>
    public int OverRefusalPairs { get; init; }

    /// <summary>Pairs of a refusal and an answer that does what an unsafe prompt asks.</summary>
    public int SafetyPairs { get; init; }

    /// <summary>β; the objective's own where not given.</summary>
    public double? Beta { get; init; }

    /// <summary>DPO: the share of pairs taken to be labeled the wrong way around.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double? LabelSmoothing { get; init; }

    /// <summary>SimPO: the margin that is asked for.</summary>
    public double? Gamma { get; init; }

    /// <summary>Divide log-probabilities by the answer's tokens; the objective's own way where not given.</summary>
    public bool? LengthNormalization { get; init; }

    /// <summary>KTO: the weight of wanted answers.</summary>
    public double? DesirableWeight { get; init; }

    /// <summary>KTO: the weight of unwanted answers.</summary>
    public double? UndesirableWeight { get; init; }

    /// <summary>KTO: z, instead of an estimate.</summary>
    public double? ReferencePoint { get; init; }

    /// <summary>Every value resolved; null where the chosen answers are learned alone.</summary>
    public PreferenceSettings? Settings() => Request().PreferenceConfig();

    /// <summary>One sentence for each setting that is out of range or has no effect.</summary>
    public IEnumerable<string> Problems()
    {
        if (OverRefusalPairs < 0 || SafetyPairs < 0 || OverRefusalPairs + SafetyPairs == 0)
        {
            yield return $"preference.over_refusal_pairs is {OverRefusalPairs} and safety_pairs {SafetyPairs}, "
                + "expected 0 or more, and one of them more.";
        }

        var given = new (string Name, object? Value)[]
        {
            (nameof(Beta), Beta), (nameof(LabelSmoothing), LabelSmoothing), (nameof(Gamma), Gamma),
            (nameof(LengthNormalization), LengthNormalization), (nameof(DesirableWeight), DesirableWeight),
            (nameof(UndesirableWeight), UndesirableWeight), (nameof(ReferencePoint), ReferencePoint),
        }.Where(s => s.Value is not null).Select(s => s.Name).ToHashSet();
        foreach (var (names, _) in FineTuneChecks.InertOf(Objective))
        {
            foreach (var name in names.Where(given.Contains))
            {
                yield return $"preference.{Key(name)} has no effect on objective {SettingText.Of(Objective)}.";
            }
        }

        if (Fault() is { } fault)
        {
            yield return $"preference: {fault}";
        }
    }

    private string? Fault()
    {
        try
        {
            Settings()?.Validate();
            return null;
        }
        catch (SafeLlamaException e)
        {
            return e.MessageFor(Key);
        }
    }

    private FineTuneRequest Request()
    {
        var plain = new FineTuneRequest();
        return plain with
        {
            Objective = Objective,
            Beta = Beta,
            LabelSmoothing = LabelSmoothing ?? plain.LabelSmoothing,
            Gamma = Gamma ?? plain.Gamma,
            LengthNormalization = LengthNormalization,
            DesirableWeight = DesirableWeight ?? plain.DesirableWeight,
            UndesirableWeight = UndesirableWeight ?? plain.UndesirableWeight,
            ReferencePoint = ReferencePoint,
        };
    }

    private static string Key(string name) => SettingText.NameOf(name).Replace('-', '_');
}
