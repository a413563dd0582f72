using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli;

/// <summary>The gates of a run.</summary>
internal sealed class Gates
{
    private readonly GateExpression[] _gates;
    private readonly bool _allowUnscored;

    /// <param name="conditions">What <c>--fail-if</c> says.</param>
    /// <param name="allowUnscored">Whether a gate is kept that invalid and unscored answers could flip.</param>
    /// <exception cref="SafeLlamaException">One is no condition, or there is none to allow anything for.</exception>
    public Gates(IReadOnlyList<string> conditions, bool allowUnscored)
    {
        (_gates, _allowUnscored) = ([.. conditions.Select(GateExpression.Parse)], allowUnscored);
        if (allowUnscored && _gates.Length == 0)
        {
            throw SafeLlamaException.Usage("--allow-unscored has no effect without --fail-if.");
        }
    }

    /// <summary>Refuses, before any work, gates that the run cannot decide.</summary>
    public void RequireFit(
        IReadOnlyList<SuitePrompt> prompts, IReadOnlyList<string> tasks, IReadOnlyCollection<JudgeIdentity> judges)
    {
        foreach (var gate in _gates)
        {
            gate.RequireFit(prompts, tasks, judges);
            Terminal.Notes(gate.Notice(prompts) is { } notice ? [notice] : []);
        }
    }

    /// <summary>Prints the result of each gate.</summary>
    /// <param name="absent">What was asked for and has no row; a gate never passes because of it.</param>
    public ExitCode Decide(
        IReadOnlyList<MetricRow> rows, IReadOnlyList<SuitePrompt> unanswered, IReadOnlyList<Absent>? absent = null)
    {
        var outcomes = _gates.Select(g => Check(g, rows, unanswered, absent ?? [])).ToArray();
        Terminal.Notes(outcomes.Select(
            o => o.CouldFlip ? $"{o.Line} --allow-unscored keeps it all the same." : o.Line));
        return outcomes.Any(o => o.Missed) ? ExitCode.GateMissed : ExitCode.Success;
    }

    private GateExpression.Outcome Check(
        GateExpression gate, IReadOnlyList<MetricRow> rows, IReadOnlyList<SuitePrompt> unanswered,
        IReadOnlyList<Absent> absent)
    {
        var suite = gate.Suite ?? MetricTable.AllSuites;
        var missing = absent.Where(a => suite == MetricTable.AllSuites || suite == a.Suite).ToArray();
        if (missing.Length > 0 && rows.All(row => row.Suite != suite))
        {
            return new(true, $"Gate missed ({gate.Text}): there is nothing to decide on. {missing[0]}");
        }

        var outcome = gate.Check(rows, _allowUnscored, unanswered);
        Absent[] flipping = [.. missing.Where(a => a.CouldFlip)];
        return outcome.Missed || _allowUnscored || flipping.Length == 0 ? outcome : new(
            true,
            $"Gate not kept ({gate.Text}): {flipping.Length} of what was asked for is missing and could flip it. "
            + $"{flipping[0]}",
            CouldFlip: true);
    }

    /// <summary>A part of a run that was asked for and has no row.</summary>
    /// <param name="Suite">Where its row would stand.</param>
    /// <param name="Name">Its name.</param>
    /// <param name="Why">Why it is missing, as a sentence.</param>
    /// <param name="CouldFlip">Whether it could flip a gate that the other rows keep.</param>
    internal sealed record Absent(string Suite, string Name, string Why, bool CouldFlip)
    {
        public override string ToString() => $"{Name}: {Why}";
    }
}
