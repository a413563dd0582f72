using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>runs</c> can be told.</summary>
internal sealed class RunsOptions : OptionSet<RunsOptions.Request>
{
    public RunsOptions()
    {
        AddArgument(nameof(Request.Folder), "DIR", "A folder of runs, or one run.");
        Add(nameof(Request.Answers),
            "Print the prompts and answers of one evaluation run with each judge's verdict, text from files escaped.");
        Add(nameof(Request.Only),
            "Of these answers, those that a judge calls refused or complied, or the invalid ones.");
        Add(nameof(Request.ShowUnsafe),
            "Show answers whole that may be harmful; without it, one line stands for each of them.");
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public string Folder { get; init; } = ".";
        public bool Answers { get; init; }
        public AnswerKind? Only { get; init; }
        public bool ShowUnsafe { get; init; }
        public bool Json { get; init; }
    }
}
