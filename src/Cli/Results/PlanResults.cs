using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Results;

/// <summary>What <c>attack --dry-run --json</c> prints.</summary>
/// <param name="Prompts">Unsafe prompts.</param>
/// <param name="Benign">Benign ones.</param>
/// <param name="Judges">By name.</param>
/// <param name="CleanSeconds">About what the run without an attack takes.</param>
/// <param name="Trials">In order; a budget of trials cuts the rest off.</param>
/// <param name="Seconds">About what all take, judging aside.</param>
/// <param name="Notes">Remarks for the user.</param>
internal sealed record AttackPlanResult(
    int Prompts, int Benign, IReadOnlyList<string> Judges, double CleanSeconds, IReadOnlyList<PlannedTrial> Trials,
    double Seconds, IReadOnlyList<string> Notes)
{
    public static AttackPlanResult Of(AttackForecast forecast, AttackPlan plan) => new(
        forecast.Prompts, forecast.Benign, [.. plan.Judges.Select(j => j.Identity.Name)], forecast.CleanSeconds,
        [.. forecast.Trials.Select(t => new PlannedTrial(t.Entry.Name, t.Entry.About, t.Seconds))], forecast.Seconds,
        forecast.Notes);
}

/// <summary>An attempt that would be made.</summary>
/// <param name="Name">The attack and its setting.</param>
/// <param name="About">What it does, in a sentence.</param>
/// <param name="Seconds">About how long it takes.</param>
internal sealed record PlannedTrial(string Name, string About, double Seconds);

/// <summary>What <c>study --dry-run --json</c> prints.</summary>
/// <param name="Study">The recipe's name.</param>
/// <param name="Question">What it asks.</param>
/// <param name="Prompts">Asked of each replicate.</param>
/// <param name="Replicates">Arms times bases times seeds.</param>
/// <param name="Arms">On each base, for one seed.</param>
/// <param name="Parallel">Replicates side by side.</param>
/// <param name="Seconds">About what all take; absent where no step could be measured.</param>
/// <param name="PeakMemoryBytes">Of the whole process.</param>
internal sealed record StudyPlanResult(
    string Study, string Question, int Prompts, int Replicates, IReadOnlyList<PlannedArm> Arms, int Parallel,
    double? Seconds, long PeakMemoryBytes)
{
    /// <summary>Asked of each replicate under attack; 0 without attacks.</summary>
    public required int AttackPrompts { get; init; }

    /// <summary>The most arms that analyses add after the first run.</summary>
    public required int AddedArms { get; init; }
}

/// <summary>An arm that would be trained.</summary>
/// <param name="Model">Its base.</param>
/// <param name="Arm">Its name.</param>
/// <param name="Makeup">Rows and settings, in words.</param>
/// <param name="Steps">Optimizer steps of a replicate.</param>
/// <param name="Parameters">Values that are learned.</param>
/// <param name="PeakMemoryBytes">Of a replicate alone, the program included.</param>
/// <param name="Seconds">About what a replicate takes; absent where no step could be measured.</param>
/// <param name="Notes">Remarks: rows that will be cut or left out.</param>
internal sealed record PlannedArm(
    string Model, string Arm, string Makeup, int Steps, long Parameters, long PeakMemoryBytes, double? Seconds,
    IReadOnlyList<string> Notes);
