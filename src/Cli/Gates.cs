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
        }
    }

    /// <summary>Prints the result of each gate.</summary>
    public ExitCode Decide(IReadOnlyList<MetricRow> rows, IReadOnlyList<SuitePrompt> unanswered)
    {
        var outcomes = _gates.Select(g => g.Check(rows, _allowUnscored, unanswered)).ToArray();
        Terminal.Notes(outcomes.Select(
            o => o.CouldFlip ? $"{o.Line} --allow-unscored keeps it all the same." : o.Line));
        return outcomes.Any(o => o.Missed) ? ExitCode.GateMissed : ExitCode.Success;
    }
}
