using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Cli.Commands;

/// <summary><c>score</c>: how likely each token of a text is.</summary>
internal static class ScoreCommand
{
    public static Command Create()
    {
        var (model, adapter, device, threads, json) =
            (CommonOptions.Model(), CommonOptions.Adapter(), CommonOptions.Device(), CommonOptions.Threads(),
                CommonOptions.Json());
        var text = new Option<string?>("--text") { Description = "Score this text.", HelpName = "TEXT" };
        var file = new Option<string?>("--file") { Description = "Score the text of a UTF-8 file.", HelpName = "FILE" };
        var tokens = new Option<string?>("--tokens")
        {
            Description =
                "Score token ids from a file, separated by spaces, commas or line breaks; nothing is put before them.",
            HelpName = "FILE",
        };
        var length = CommonOptions.MaxLength();
        var command = new Command(
            "score", "Give the log-likelihood of each token of a text, in nats, given all before it.")
        {
            model, adapter, text, file, tokens, length, device, threads, json,
        };
        command.SetAction(parsed =>
        {
            var (words, path, ids) = (parsed.GetValue(text), parsed.GetValue(file), parsed.GetValue(tokens));
            if (new[] { words, path, ids }.Count(o => o is not null) != 1)
            {
                throw SafeLlamaException.Usage("score: expected exactly one of --text, --file and --tokens.");
            }

            using var backend = Devices.Open(parsed.GetValue(device)!, parsed.GetValue(threads));
            using var session = LlamaSession.Open(
                backend, parsed.GetValue(model)!, new()
                {
                    Adapter = parsed.GetValue(adapter),
                    MaxLength = parsed.GetValue(length),
                });
            Terminal.Notes(session.Notes);
            var sequence = ids is not null
                ? ReadIds(ids)
                : SegmentEncoder.Ids(
                    session.Tokenizer, [PromptSegment.Begin, PromptSegment.User(words ?? ReadText(path!))]);
            using var scorer = new Scorer(session.Model);
            Print(session, sequence, scorer.LogLikelihoods(sequence), parsed.GetValue(json));
            return (int)ExitCode.Success;
        });
        return command;
    }

    private static void Print(LlamaSession session, int[] tokens, double[] scores, bool json)
    {
        var (sum, mean) = (scores.Sum(), scores.Average());
        var pieces = tokens.Skip(1).Select(t => session.Tokenizer.Decode([t], keepControl: true)).ToList();
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(
                new ScoreResult(
                    [.. tokens.Skip(1).Select((t, i) => new ScoreResult.Token(t, pieces[i], scores[i]))], sum, mean,
                    Math.Exp(-mean)),
                Json.Line));
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
