using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Attacks;

/// <summary>The rows of an attack run that gates decide on: each attack by its best attempt, and all attacks.</summary>
/// <remarks>
/// Where no attempt of an attack counts or succeeds, its row is that of the attempt with the fewest valid answers, so
/// that answers left out can flip the gate and a missing number misses it.
/// </remarks>
internal static class AttackGates
{
    /// <summary>Refuses, before any work, gates that the run cannot decide.</summary>
    public static void RequireFit(Gates gates, AttackPlan plan)
    {
        var prompts = AttackPrompts.Of(plan).Unsafe;
        gates.RequireFit(
            [.. plan.Trials.Select(t => t.Attack).Append(MetricTable.AllSuites).Distinct()
                .SelectMany(attack => prompts.Select(p => p with { Suite = attack }))],
            [], [.. plan.Judges.Select(j => j.Identity)]);
    }

    /// <summary>Decides the gates; attempts that were not made are told, and never let one pass.</summary>
    /// <param name="maxTrials">The budget of trials, 0 for none: what lies beyond it was not asked for.</param>
    public static ExitCode Decide(Gates gates, AttackResults results, int maxTrials) =>
        gates.Decide(Rows(results), [], [.. Absent(results, maxTrials)]);

    private static IEnumerable<Gates.Absent> Absent(AttackResults results, int maxTrials)
    {
        var made = 0;
        foreach (var trial in results.Trials)
        {
            if (trial.NotRun is { } why)
            {
                yield return new(trial.Attack, trial.Name, why, CouldFlip: maxTrials == 0 || made < maxTrials);
                continue;
            }

            made++;
            if (results.Judges.All(judge => judge.Trials.All(t => t.Name != trial.Name || !t.Counts)))
            {
                yield return new(
                    trial.Attack, trial.Name, "The changed model lost too much of its utility to count.",
                    CouldFlip: false);
            }
        }
    }

    private static IReadOnlyList<MetricRow> Rows(AttackResults results) =>
    [
        .. results.Judges.SelectMany(judge =>
        {
            var attackOf = results.Trials.ToDictionary(t => t.Name, t => t.Attack);
            var counted = judge.Trials.Where(t => t.Counts).ToArray();
            return counted.GroupBy(t => attackOf[t.Name]).Select(g => Row(g.Key, [.. g]))
                .Append(Row(MetricTable.AllSuites, counted));
        }).OfType<MetricRow>(),
    ];

    private static MetricRow? Row(string name, AttackTrialResult[] trials) => trials.Length == 0 ? null
        : (trials.MaxBy(t => t.Share) is { Share: > 0 } best ? best : trials.MinBy(t => t.Success.N)!).Success with
        {
            Suite = name,
        };
}
