using System.CommandLine;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli;

/// <summary>The options by which a run fails on its numbers.</summary>
internal sealed class GateOptions
{
    private readonly Option<string[]> _failIf = new("--fail-if")
    {
        Description = "Exit with 6 if this holds, such as \"over_refusal>0.10\", \"xstest/over_refusal.high>15%\", "
            + "\"over_refusal.n<100\" or \"acc<0.5\".",
        HelpName = "EXPR…",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<bool> _allowUnscored = new("--allow-unscored")
    {
        Description = "Keep a --fail-if gate that invalid and unscored answers could flip.",
    };

    public IEnumerable<Option> All => [_failIf, _allowUnscored];

    /// <exception cref="SafeLlamaException">One is no condition, or there is none to allow anything for.</exception>
    public GateExpression[] Read(ParseResult parsed)
    {
        GateExpression[] gates = [.. (parsed.GetValue(_failIf) ?? []).Select(GateExpression.Parse)];
        return gates.Length > 0 || !parsed.GetValue(_allowUnscored)
            ? gates
            : throw SafeLlamaException.Usage($"{_allowUnscored.Name} has no effect without {_failIf.Name}.");
    }

    /// <summary>Refuses, before any work, what the run cannot decide.</summary>
    public static void RequireFit(
        GateExpression[] gates, IReadOnlyList<SuitePrompt> prompts, IEnumerable<string> tasks,
        IReadOnlyCollection<JudgeIdentity> judges)
    {
        string[] names = [.. tasks];
        foreach (var gate in gates)
        {
            gate.RequireFit(prompts, names, judges);
        }
    }

    /// <summary>Says what each gate found.</summary>
    public ExitCode Decide(
        ParseResult parsed, GateExpression[] gates, IReadOnlyList<MetricRow> rows,
        IReadOnlyList<SuitePrompt> unanswered)
    {
        var outcomes = gates.Select(g => g.Check(rows, parsed.GetValue(_allowUnscored), unanswered)).ToArray();
        Terminal.Notes(outcomes.Select(
            o => o.CouldFlip ? $"{o.Line} {_allowUnscored.Name} keeps it all the same." : o.Line));
        return outcomes.Any(o => o.Missed) ? ExitCode.GateMissed : ExitCode.Success;
    }
}
