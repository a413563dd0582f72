using SafeLlama.Common;

namespace SafeLlama.Training;

/// <summary>Settings of defenses that exclude others, lack something, or would have no effect.</summary>
internal static class DefenseChecks
{
    /// <exception cref="SafeLlamaException">A defense is unknown, cannot go with the rest, or lacks what it
    /// reads.</exception>
    public static void Check(FineTuneRequest r)
    {
        string[] known = [.. SettingText.Choices(typeof(Defense))];
        foreach (var name in r.Defense.Where(name => !known.Contains(name)))
        {
            throw SafeLlamaException.Usage(
                $"`{nameof(r.Defense)}` {name}: is unknown, expected some of {string.Join(", ", known)}"
                + NearestName.Hint(name, known));
        }

        Require(r.Defense.Distinct().Count() == r.Defense.Count, $"`{nameof(r.Defense)}` names one twice.");
        Require(r.Defense.Count == 0 || !r.Objective.IsPreference(),
            $"`{nameof(r.Defense)}` {string.Join(", ", r.Defense)} and `{nameof(r.Objective)}` "
            + $"{SettingText.Of(r.Objective)}: a defense goes with sft.");
        Require(r.Defense.Count == 0 || r.Init is null,
            $"`{nameof(r.Defense)}` defends a model that exists; with `{nameof(r.Init)}` there is none.");
        Require(!r.Defends(Defense.Recovery) || r.Preferences.Count > 0,
            "`Defense` recovery needs `Preferences`: pairs of a refusal (chosen) and a harmful answer (rejected).");
        Require(!r.Defends(Defense.Lisa) || r.Safety.Count > 0,
            "`Defense` lisa needs `Safety`: the rows of its steps of alignment.");
        Require(!r.Defends(Defense.SafeLora) || r.Unaligned is not null,
            "`Defense` safe-lora needs `Unaligned`: the model as it was before alignment, beside the aligned one "
            + "(`Aligned`, or `Model`).");
        Require(!r.Defends(Defense.SafeLora) || !r.Full,
            "`Defense` safe-lora projects an adapter; with `Full` there is none.");
        Require(!r.Defends(Defense.Booster) || r.Harmful.Count > 0,
            "`Defense` booster needs `Harmful`: rows of harmful answers, which it looks at and does not learn.");
        r.DefenseConfig()?.Validate();
    }

    /// <summary>Settings of defenses that are not named, and the reason.</summary>
    public static IEnumerable<(IReadOnlyList<string> Names, string Why)> Inert(FineTuneRequest r)
    {
        (Defense Defense, string[] Names)[] settings =
        [
            (Defense.Recovery, [nameof(r.RecoveryPrefix), nameof(r.RecoveryPlain)]),
            (Defense.Constrained,
                [nameof(r.ConstraintBeta), nameof(r.ConstraintFirst), nameof(r.ConstraintEarly),
                    nameof(r.ConstraintTokens)]),
            (Defense.Lisa, [nameof(r.LisaRho), nameof(r.LisaAlignmentSteps), nameof(r.LisaTuningSteps)]),
            (Defense.SafeLora,
                [nameof(r.Aligned), nameof(r.Unaligned), nameof(r.SafeLoraThreshold), nameof(r.SafeLoraExact)]),
            (Defense.Booster, [nameof(r.Harmful), nameof(r.BoosterLambda), nameof(r.BoosterAlpha)]),
        ];
        return settings.Where(s => !r.Defends(s.Defense)).Select(s =>
            ((IReadOnlyList<string>)s.Names, $"they belong to `Defense` {SettingText.Of(s.Defense)}"));
    }

    private static void Require(bool fine, string fault)
    {
        if (!fine)
        {
            throw SafeLlamaException.Usage(fault);
        }
    }
}
