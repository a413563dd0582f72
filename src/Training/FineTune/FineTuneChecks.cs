using SafeLlama.Common;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>Settings of a fine-tuning run that exclude each other, or would have no effect.</summary>
public static class FineTuneChecks
{
    private static readonly string[] LoraSettings =
    [
        nameof(FineTuneRequest.Rank), nameof(FineTuneRequest.Alpha), nameof(FineTuneRequest.Dropout),
        nameof(FineTuneRequest.Targets), nameof(FineTuneRequest.RankStabilized), nameof(FineTuneRequest.Variant),
    ];

    /// <summary>Settings of a frozen base.</summary>
    private static readonly string[] LoadSettings = [nameof(FineTuneRequest.Load), nameof(FineTuneRequest.Nested)];

    /// <exception cref="SafeLlamaException">Settings exclude each other, one that is needed is missing, or one that is
    /// given would have no effect.</exception>
    public static void Check(SettingTable<FineTuneRequest> settings)
    {
        var r = settings.Value;
        Require(r.Model is null != r.Init is null,
            "Give `Model` to fine-tune, or `Init` and `Tokenizer` to begin anew: one of them.");
        Require(r.Model is not null || r.Tokenizer is not null,
            "`Init` needs `Tokenizer`: the folder of the tokenizer that goes with the new model.");
        Require(r.Objective.IsPreference() || r.Data.Count > 0,
            "`Data` is missing: what is to be learned? Safety rows alone are learned too, where `Data` names them.");
        Require(!r.Objective.IsPreference() || r.Preferences.Count > 0,
            $"`Objective` {SettingText.Of(r.Objective)} needs `Preferences`: files of wanted and unwanted answers.");
        DefenseChecks.Check(r);
        Require(r.Steps is null || !settings.IsGiven(nameof(r.Epochs)),
            "`Steps` and `Epochs` say the same thing twice; give one.");
        Require(r.SafetyExamples is null || r.SafetyShare is null,
            "`SafetyExamples` and `SafetyShare` say the same thing twice; give one.");
        Require(r.Safety.Count > 0 || (r.SafetyExamples is null && r.SafetyShare is null),
            "`SafetyExamples` and `SafetyShare` need `Safety` to draw from.");
        Require(!r.Nested || r.Load == LoadAs.Nf4,
            "`Nested` quantizes the absmax values of nf4, and needs `Load` nf4.");
        foreach (var (names, why) in Inert(r))
        {
            var given = names.Where(settings.IsGiven).Select(name => $"`{name}`").ToList();
            Require(given.Count == 0, $"{string.Join(", ", given)} would have no effect: {why}.");
        }
    }

    /// <summary>
    /// Settings that this run would not heed, and why: given they are refused, else they are not shown.
    /// </summary>
    public static IEnumerable<(IReadOnlyList<string> Names, string Why)> Inert(FineTuneRequest r)
    {
        if (r.Init is not null)
        {
            yield return (
                [.. LoraSettings, .. LoadSettings, nameof(r.LoraPlusRatio), nameof(r.Adapter), nameof(r.Full),
                    nameof(r.BaseName)],
                "`Init` trains all weights anew");
        }
        else if (r.Full)
        {
            yield return (
                [.. LoraSettings, .. LoadSettings, nameof(r.LoraPlusRatio), nameof(r.Adapter), nameof(r.BaseName)],
                "`Full` trains all weights");
        }
        else
        {
            yield return ([nameof(r.Dtype)], "an adapter is stored in fp32");
        }

        if (r.Adapter is not null)
        {
            yield return (LoraSettings, "`Adapter` brings its own");
        }
        else if (r.Variant == LoraVariant.Pissa)
        {
            yield return ([nameof(r.Dropout)], "PiSSA trains without: it would fall on a part of the base");
        }

        foreach (var inert in InertOf(r.Objective).Concat(DefenseChecks.Inert(r)))
        {
            // Recovery rows are made of pairs.
            yield return r.Defends(Defense.Recovery)
                ? ([.. inert.Names.Where(name => name != nameof(r.Preferences))], inert.Why) : inert;
        }

        if (r.Steps is not null)
        {
            yield return ([nameof(r.Epochs)], "`Steps` says how long");
        }

        if (r.Device == "reference" || r.Device.StartsWith("cuda", StringComparison.Ordinal))
        {
            yield return ([nameof(r.Threads)], $"`Device` {r.Device} does not use them");
        }
    }

    /// <summary>Settings that an objective does not heed.</summary>
    public static IEnumerable<(IReadOnlyList<string> Names, string Why)> InertOf(Objective objective)
    {
        var name = $"`Objective` {SettingText.Of(objective)}";
        if (!objective.IsPreference())
        {
            yield return (
                [nameof(FineTuneRequest.Preferences), nameof(FineTuneRequest.Beta),
                    nameof(FineTuneRequest.LengthNormalization)],
                $"{name} learns no preferences");
        }
        else
        {
            yield return (
                [nameof(FineTuneRequest.Data), nameof(FineTuneRequest.Safety), nameof(FineTuneRequest.SafetyExamples),
                    nameof(FineTuneRequest.SafetyShare), nameof(FineTuneRequest.BaseExamples),
                    nameof(FineTuneRequest.ValidationSplit)],
                $"{name} learns from `Preferences` alone");
            yield return ([nameof(FineTuneRequest.LossDivisor)], $"{name} is a mean over preferences");
        }

        if (objective != Objective.Dpo)
        {
            yield return ([nameof(FineTuneRequest.LabelSmoothing)], "`Objective` dpo alone smooths labels");
        }

        if (objective != Objective.Simpo)
        {
            yield return ([nameof(FineTuneRequest.Gamma)], "`Objective` simpo alone asks for a margin");
        }

        if (objective.IsPerToken())
        {
            yield return ([nameof(FineTuneRequest.LengthNormalization)], $"{name} always takes means over tokens");
        }

        if (objective != Objective.Kto)
        {
            yield return (
                [nameof(FineTuneRequest.DesirableWeight), nameof(FineTuneRequest.UndesirableWeight),
                    nameof(FineTuneRequest.ReferencePoint)],
                "they belong to `Objective` kto");
        }
        else
        {
            yield return ([nameof(FineTuneRequest.LengthNormalization)], $"{name} is defined over whole answers");
        }

        if (objective.IsPreference() && objective != Objective.Orpo)
        {
            yield return (
                [nameof(FineTuneRequest.TrainOnInputs)], $"{name} compares answers; orpo alone may learn prompts too");
        }
    }

    private static void Require(bool fine, string fault)
    {
        if (!fine)
        {
            throw SafeLlamaException.Usage(fault);
        }
    }
}
