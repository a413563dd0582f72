using System.Globalization;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Model;
using SafeLlama.Study;

namespace SafeLlama.Cli.Study;

/// <summary>The plan of a study for <c>--dry-run</c>: each arm with its time and memory.</summary>
internal sealed class StudyPlan(StudyRecipe recipe, IStudySource source, StudyRunner runner, IStudyEngine engine)
{
    public ExitCode Show(int parallel)
    {
        Terminal.Print($"{recipe.Name}: {recipe.Question}");
        Terminal.Print(
            $"{Counted.Of(source.Prompts.Count, "prompt")} asked of each of "
            + $"{Counted.Of(runner.Jobs.Count, "replicate")} "
            + $"({Counted.Of(recipe.Arms.Count, "arm")} × {Counted.Of(recipe.Models.Count, "model")} × "
            + $"{Counted.Of(recipe.Seeds.Count, "seed")}).");
        var attacks = recipe.Attacks?.Asked(source.Prompts) ?? [];
        if (attacks.Count > 0)
        {
            Terminal.Print($"Attacks ask {attacks.Count} more of each.");
        }

        IReadOnlyList<StudyPrompt> asked = [.. source.Prompts, .. attacks];
        var estimates = new List<ArmEstimate>();
        foreach (var model in recipe.Models)
        {
            Terminal.Print($"  on {model}");
            foreach (var job in runner.Jobs.Where(
                job => job.Replicate.Model == model && job.Replicate.Seed == recipe.Seeds[0]))
            {
                var estimate = engine.Estimate(job, asked);
                estimates.Add(estimate);
                Terminal.Print($"    {job.Arm.Name}: {Rows(job)}; {Needs(estimate)}");
            }
        }

        foreach (var line in StudyJudges.Lines(recipe.Judges ?? []))
        {
            Console.WriteLine(line);
        }

        foreach (var claim in recipe.Claims)
        {
            Terminal.Print($"  claim {claim.Id}: {claim.Statement}");
        }

        foreach (var analysis in recipe.Analyses ?? [])
        {
            Terminal.Print($"  analysis {analysis.Name}: {SettingText.Of(analysis.Kind)} of {analysis.Metric}"
                + (Added(analysis) > 0 ? $"; up to {Added(analysis)} arms are added after the first run" : ""));
        }

        Terminal.Print(Total(
            estimates, (recipe.Analyses ?? []).Sum(Added), Math.Clamp(parallel, 1, runner.Jobs.Count)));
        return ExitCode.Success;
    }

    /// <summary>The most arms that an analysis adds.</summary>
    private static int Added(StudyAnalysis analysis) => (analysis.Refine ?? 0) * analysis.Series.Count;

    private string Rows(ArmJob job)
    {
        if (job.Arm.Preference is { } preference)
        {
            return $"{preference.OverRefusalPairs} pairs against over-refusal and {preference.SafetyPairs} for safety, "
                + $"objective {SettingText.Of(preference.Objective)}"
                + (preference.Settings() is { } s
                    ? $" with beta {SettingText.Of(s.Beta)}"
                    : ", the chosen answers alone")
                + (job.Arm.After is { } after ? $", after {after}" : "")
                + string.Create(
                    CultureInfo.InvariantCulture, $", {job.Training.Epochs} epochs at {job.Training.LearningRate}");
        }

        var (safety, t) = (job.Arm.Demonstrations(source.BenignCount), job.Training);
        return job.Arm.Untrained
            ? "the base as it is"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{source.BenignCount} + {safety} rows "
                + $"({Percent.Of((double)safety / (source.BenignCount + safety))}), ")
                + $"{job.Arm.Format.ToString().ToLowerInvariant()}{Makeup(job.Arm.Safety)}, r {t.Rank} α {t.Alpha} on "
                + $"{string.Join(",", t.Targets)}, "
                + $"{t.Epochs} epoch{(t.Epochs == 1 ? "" : "s")} at {t.LearningRate}"
                + (t.Variant is { } variant ? $", {SettingText.Of(variant)}" : "")
                + (t.LoraPlusRatio is { } ratio ? FormattableString.Invariant($", LoRA+ {ratio}") : "")
                + (job.Arm.Defense is { } defense
                    ? ", defended by " + string.Join(", ", defense.Settings().Names().Select(n => SettingText.Of(n)))
                    : "")
                + (t.NeftuneAlpha is { } alpha ? FormattableString.Invariant($", NEFTune {alpha}") : "")
                + (t.Load is { } load ? $", {SettingText.Of(load)} base" : "");
    }

    /// <summary>What a makeup names, as the recipe spells it.</summary>
    private static string Makeup(SafetyRows? makeup) => makeup is null
        ? "" : " " + JsonSerializer.Serialize(makeup, Json.Line);

    private static string Needs(ArmEstimate estimate) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Counted.Of(estimate.Steps, "step")}, {estimate.Parameters:N0} values learned, "
        + $"{MemoryPlan.Size(estimate.PeakMemoryBytes)}")
        + (estimate.Seconds is { } seconds ? $", about {Time(seconds)}" : "");

    /// <summary>Replicates side by side share the cores, and each has its own memory; the program is there
    /// once.</summary>
    /// <param name="added">Arms that the first run adds, each as long as the mean of the others.</param>
    private string Total(List<ArmEstimate> estimates, int added, int parallel)
    {
        var memory = MemoryPlan.ProgramBytes
            + parallel * (estimates.Max(e => e.PeakMemoryBytes) - MemoryPlan.ProgramBytes);
        var side = parallel == 1 ? "one replicate after the other" : $"{parallel} replicates side by side";
        var known = estimates.Where(e => e.Seconds is not null).ToList();
        return known.Count == 0
            ? $"in all {MemoryPlan.Size(memory)}, {side}. How long it takes is not known: without weights no step can "
                + "be measured."
            : $"in all about {Time(Seconds())} and {MemoryPlan.Size(memory)}, {side}"
                + (added > 0 ? ", added arms included: " : ": ")
                + "token counts times what a short step and a few answers took just now.";

        double Seconds() => recipe.Seeds.Count * (known.Sum(e => e.Seconds!.Value)
            + (added * recipe.Models.Count * known.Average(e => e.Seconds!.Value))) / parallel;
    }

    private static string Time(double seconds) => seconds switch
    {
        < 90 => $"{Math.Ceiling(seconds):0} s",
        < 90 * 60 => $"{seconds / 60:0} min",
        < 48 * 3600 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 86400:0.0} days"),
    };
}
