using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Study;

/// <summary>The replicates of a study, with their rows.</summary>
public static class JobPlan
{
    /// <summary>Every model is trained on the same rows, drawn once for each seed and arm.</summary>
    /// <remarks>Rows that a base chooses (<see cref="RowSelection.Complied"/>) stand here as the seed draws them, since
    /// no base is opened yet; <see cref="Resolve"/> puts in those it chooses.</remarks>
    public static ArmJob[] Of(StudyRecipe recipe, IStudySource source)
    {
        var orders = new Dictionary<(long, SafetyFormat, SafetyRows?), IReadOnlyList<TrainingExample>>();
        var rows = (
            from seed in recipe.Seeds
            from arm in recipe.Arms
            where !arm.Untrained && arm.Preference is null
            select (seed, arm)).ToDictionary(of => (of.seed, of.arm.Name), of => Rows(of.arm, of.seed));
        return
        [
            .. from model in recipe.Models
               from seed in recipe.Seeds
               from arm in recipe.Arms
               select new ArmJob(
                   new Replicate(arm.Name, model, seed),
                   arm,
                   arm.Apply(recipe.Training),
                   recipe.Decoding,
                   source.Template,
                   rows.GetValueOrDefault((seed, arm.Name)) ?? [])
               {
                   Preferences = arm.Preference is null ? [] : source.Preferences(arm, seed),
                   DefensePairs = arm.Defense is not { Pairs: > 0 } defense ? []
                       : source.Preferences(StudyDefense.PairsOf(arm, defense.Pairs), seed),
                   SafetyIds = SafetyIds(source, arm, seed, rows.GetValueOrDefault((seed, arm.Name)) ?? []),
               },
        ];

        IReadOnlyList<TrainingExample> Rows(StudyArm arm, long seed)
        {
            if (arm.Selection != RowSelection.Diverse)
            {
                return source.Examples(arm, seed);
            }

            if (!orders.TryGetValue((seed, arm.Format, arm.Safety), out var pool))
            {
                var drawn = source.Demonstrations(arm, seed);
                pool = [.. DemonstrationSelection.FarthestFirst([.. drawn.Select(r => r.Question)])
                    .Select(i => drawn[i])];
                orders[(seed, arm.Format, arm.Safety)] = pool;
            }

            return [.. Benign(source, arm, seed), .. Chosen(source, arm, pool)];
        }
    }

    /// <summary>The job with the rows that its base chooses.</summary>
    public static ArmJob Resolve(ArmJob job, IStudySource source, IStudyEngine engine)
    {
        if (job.Arm.Selection != RowSelection.Complied)
        {
            return job;
        }

        var pool = source.Demonstrations(job.Arm, job.Replicate.Seed);
        var order = DemonstrationSelection.LeastLikelyFirst(engine.Likelihoods(job, pool));
        TrainingExample[] rows =
        [
            .. Benign(source, job.Arm, job.Replicate.Seed),
            .. Chosen(source, job.Arm, [.. order.Select(i => pool[i])]),
        ];
        return job with { Examples = rows, SafetyIds = SafetyIds(source, job.Arm, job.Replicate.Seed, rows) };
    }

    /// <summary>The first demonstrations of an order, as many as the arm asks for.</summary>
    /// <exception cref="SafeLlamaException">There are fewer.</exception>
    private static IEnumerable<TrainingExample> Chosen(
        IStudySource source, StudyArm arm, IReadOnlyList<TrainingExample> ordered)
    {
        var asked = arm.Demonstrations(source.BenignCount);
        return asked <= ordered.Count ? ordered.Take(asked) : throw SafeLlamaException.Usage(
            $"arm {arm.Name}: asks for {asked} demonstrations, and there are {ordered.Count} to choose from.");
    }

    /// <summary>The ids of demonstrations, where a defense treats them apart.</summary>
    private static HashSet<string> SafetyIds(
        IStudySource source, StudyArm arm, long seed, IReadOnlyList<TrainingExample> rows) =>
        arm.Defense?.Lisa is null ? [] : StudyDefense.SafetyIds(source, arm, seed, rows);

    private static IReadOnlyList<TrainingExample> Benign(IStudySource source, StudyArm arm, long seed) =>
        source.Examples(
            arm with { Selection = RowSelection.Random, SafetyExamples = 0, SafetyShare = null }, seed);
}
