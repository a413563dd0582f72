using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Cli.Commands;

/// <summary><c>score</c>: computes the log-likelihood of each token of a text.</summary>
internal static class ScoreCommand
{
    public static Command Create() => new ScoreOptions().Verb(
        "score", "Give the log-likelihood of each token of a text, in nats, given all before it.", Run);

    private static ExitCode Run(ScoreOptions.Request asked)
    {
        if (new[] { asked.Text, asked.File, asked.Tokens }.Count(o => o is not null) != 1)
        {
            throw SafeLlamaException.Usage("score: expected exactly one of --text, --file and --tokens.");
        }

        using var backend = Devices.Open(asked);
        using var session = LlamaSession.Open(
            backend, asked.Model, new()
            {
                Adapter = asked.Adapter,
                Load = new(asked.Load, asked.Nested),
                MaxLength = asked.MaxLength,
            });
        Terminal.Notes(session.Notes);
        var sequence = asked.Tokens is { } ids
            ? ReadIds(ids)
            : SegmentEncoder.Ids(
                session.Tokenizer, [PromptSegment.Begin, PromptSegment.User(asked.Text ?? ReadText(asked.File!))]);
        using var scorer = new Scorer(session.Model);
        Print(session, sequence, scorer.LogLikelihoods(sequence), asked.Json);
        return ExitCode.Success;
    }

    private static void Print(LlamaSession session, int[] tokens, double[] scores, bool json)
    {
        var (sum, mean) = (scores.Sum(), scores.Average());
        var pieces = tokens.Skip(1).Select(t => session.Tokenizer.Decode([t], keepControl: true)).ToList();
        if (json)
        {
            Terminal.PrintJson(new ScoreResult(
                [.. tokens.Skip(1).Select((t, i) => new ScoreResult.Token(t, pieces[i], scores[i]))], sum, mean,
                Math.Exp(-mean)));
            return;
        }

        for (var i = 0; i < scores.Length; i++)
        {
            Console.WriteLine($"{scores[i],10:F4}  {tokens[i + 1],7}  "
                + $"{JsonSerializer.Serialize(SafeText.ForTerminal(pieces[i]), Json.Line)}");
        }

        Console.WriteLine(
            $"sum {sum:F4} nats over {scores.Length} tokens, mean {mean:F4}, perplexity {Math.Exp(-mean):F2}");
    }

    private static string ReadText(string path)
    {
        var (text, notes) = TextFile.Read(path);
        Terminal.Notes(notes);
        return text;
    }

    private static int[] ReadIds(string path)
    {
        return [.. ReadText(path).Split(
            [' ', ',', '\n', '\r', '\t', '[', ']'], StringSplitOptions.RemoveEmptyEntries)
            .Select(word => int.TryParse(word, CultureInfo.InvariantCulture, out var id)
                ? id
                : throw SafeLlamaException.InvalidData($"{path}: \"{SafeText.ForTerminal(word)}\" is not a token "
                    + "id."))];
    }
}
