using System.Globalization;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Model;
using SafeLlama.Study;

namespace SafeLlama.Cli.Study;

/// <summary>The plan of a study for <c>--dry-run</c>: each arm with its time and memory.</summary>
internal sealed class StudyPlan(StudyRecipe recipe, IStudySource source, StudyRunner runner, IStudyEngine engine)
{
    /// <summary>Prints a line on each arm as soon as its cost is known, or all as one JSON object.</summary>
    public ExitCode Show(int parallel, bool json)
    {
        Action<string> say = json ? _ => { } : Terminal.Print;
        say($"{recipe.Name}: {recipe.Question}");
        say(
            $"{Counted.Of(source.Prompts.Count, "prompt")} asked of each of "
            + $"{Counted.Of(runner.Jobs.Count, "replicate")} "
            + $"({Counted.Of(recipe.Arms.Count, "arm")} × {Counted.Of(recipe.Models.Count, "model")} × "
            + $"{Counted.Of(recipe.Seeds.Count, "seed")}).");
        var attacks = recipe.Attacks?.Work(source.Prompts, recipe.Seeds[0]);
        if (attacks is not null)
        {
            say(Attacks(attacks));
        }

        var inside = new DirectionReader(recipe, source, engine).Prompts;
        var estimates = new List<ArmEstimate>();
        var arms = new List<PlannedArm>();
        var looking = new List<double>();
        foreach (var model in recipe.Models)
        {
            say($"  on {model}");
            var jobs = runner.Jobs.Where(
                job => job.Replicate.Model == model && job.Replicate.Seed == recipe.Seeds[0]).ToList();
            var preparing = new Lazy<double>(() => Preparing(jobs[0]));
            foreach (var job in jobs)
            {
                var estimate = engine.Estimate(job, source.Prompts, attacks);
                estimate = estimate with { Seconds = estimate.Seconds is { } s ? s + preparing.Value : null };
                estimates.Add(estimate);
                looking.AddRange(inside.Count > 0 && engine.ReadingSeconds(job, inside) is { } r ? [r] : []);
                say($"    {job.Arm.Name}: {Rows(job)}; {Needs(estimate)}");
                arms.Add(new(
                    model, job.Arm.Name, Rows(job), estimate.Steps, estimate.Parameters, estimate.PeakMemoryBytes,
                    estimate.Seconds, estimate.Notes));
                Terminal.Notes([.. estimate.Notes.Select(note => $"{job.Arm.Name}: {note}")]);
            }
        }

        foreach (var line in StudyJudges.Lines(recipe.Judges ?? []))
        {
            say(line);
        }

        foreach (var claim in recipe.Claims)
        {
            say($"  claim {claim.Id}: {claim.Statement}");
        }

        foreach (var analysis in recipe.Analyses ?? [])
        {
            say($"  analysis {analysis.Name}: {SettingText.Of(analysis.Kind)} of {analysis.Metric}"
                + (Added(analysis) > 0 ? $"; up to {Added(analysis)} arms are added after the first run" : ""));
        }

        var added = (recipe.Analyses ?? []).Sum(Added);
        var read = looking.Sum() + (added * recipe.Models.Count * looking.DefaultIfEmpty(0).Average());
        say(inside.Count == 0 ? $"  refusal direction: none; {DirectionReader.NoPrompts}"
            : $"  refusal direction: {inside.Count} prompts are read by every arm of one seed at the end"
                + (looking.Count > 0 ? $", about {Time(read)}" : ""));
        var side = Math.Clamp(parallel, 1, runner.Jobs.Count);
        var plan = new StudyPlanResult(
            recipe.Name, recipe.Question, source.Prompts.Count, runner.Jobs.Count, arms, side,
            Seconds(estimates, added, side, read), Memory(estimates, side))
        {
            AttackPrompts = attacks?.Prompts.Count ?? 0,
            AddedArms = added,
        };
        say(Total(plan));
        if (json)
        {
            Terminal.PrintDocument(plan);
        }

        return ExitCode.Success;
    }

    /// <summary>Seconds that attacks take before they ask: the same for each arm of a model.</summary>
    private double Preparing(ArmJob job) =>
        recipe.Attacks is null ? 0 : new ArmAttacks(recipe, source, engine).PreparationSeconds(job);

    private static string Attacks(AttackWork work) =>
        $"Attacks ask {work.Prompts.Count} more of each"
        + (work.Exchanges + work.Tokens == 0 ? "." : string.Create(
            CultureInfo.InvariantCulture,
            $", with {work.Exchanges:N0} answered requests shown before and {work.Tokens:N0} tokens added."));

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
                + $"{Makeup(job.Arm)}, r {t.Rank} α {t.Alpha} on "
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

    /// <summary>The wording of an arm's demonstrations, and what else the recipe says of them.</summary>
    private static string Makeup(StudyArm arm)
    {
        var rows = arm.Safety ?? new();
        (string Name, double Share)[] shares = rows.Formats is { } f
            ? [("instruction", f.Instruction), ("question", f.Question), ("opinion", f.Opinion)]
            : [(SettingText.Of(arm.Format), 1)];
        var used = shares.Where(s => s.Share > 0).ToList();
        IEnumerable<string?> said =
        [
            string.Join(" : ", used.Select(s => used.Count == 1
                ? s.Name : string.Create(CultureInfo.InvariantCulture, $"{s.Name} {s.Share}"))),
            rows.Answers == SafetyAnswers.All ? null : $"answers {SettingText.Of(rows.Answers)}",
            rows.SafeTwins == 0 ? null : $"{Counted.Of(rows.SafeTwins, "safe twin")}",
            rows.Categories is { } kinds ? $"categories {string.Join("/", kinds)}" : null,
            rows.PeopleA is { } share ? $"people A in {Percent.Of(share)}" : null,
            rows.Distances is { } distances ? $"distances {string.Join("/", distances)}" : null,
            rows.Turns is { } turns ? $"after turns {string.Join("/", turns)}" : null,
        ];
        return string.Join(", ", said.OfType<string>());
    }

    private static string Needs(ArmEstimate estimate) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Counted.Of(estimate.Steps, "step")}, {estimate.Parameters:N0} values learned, "
        + $"{MemoryPlan.Size(estimate.PeakMemoryBytes)}")
        + (estimate.Seconds is { } seconds ? $", about {Time(seconds)}" : "");

    /// <summary>Replicates side by side have their own memory each; the program is there once.</summary>
    private static long Memory(List<ArmEstimate> estimates, int parallel) => MemoryPlan.ProgramBytes
        + parallel * (estimates.Max(e => e.PeakMemoryBytes) - MemoryPlan.ProgramBytes);

    /// <summary>Replicates side by side share the cores.</summary>
    /// <param name="added">Arms that the first run adds, each as long as the mean of the others.</param>
    /// <param name="after">Seconds at the end, when all replicates are done.</param>
    private double? Seconds(List<ArmEstimate> estimates, int added, int parallel, double after)
    {
        double[] known = [.. estimates.Select(e => e.Seconds).OfType<double>()];
        return known.Length == 0 ? null : after + (recipe.Seeds.Count
            * (known.Sum() + (added * recipe.Models.Count * known.Average())) / parallel);
    }

    private static string Total(StudyPlanResult plan)
    {
        var side = plan.Parallel == 1
            ? "one replicate after the other" : $"{plan.Parallel} replicates side by side";
        var untimed = plan.Arms.Count(arm => arm.Seconds is null);
        return plan.Seconds is not { } seconds
            ? $"in all {MemoryPlan.Size(plan.PeakMemoryBytes)}, {side}. How long it takes is not known: without weights "
                + "no step can be measured."
            : $"in all about {Time(seconds)} and {MemoryPlan.Size(plan.PeakMemoryBytes)}, {side}"
                + (plan.AddedArms > 0 ? $", {plan.AddedArms} arms to be added at the mean of those above: " : ": ")
                + "token counts times what a short step and a few answers took just now."
                + (untimed > 0 ? $" {Counted.Of(untimed, "base")} as it is answers too, which is not counted." : "");
    }

    private static string Time(double seconds) => seconds switch
    {
        < 90 => $"{Math.Ceiling(seconds):0} s",
        < 90 * 60 => $"{seconds / 60:0} min",
        < 48 * 3600 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 86400:0.0} days"),
    };
}
