using System.Globalization;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Cli.Inspecting;

/// <summary>The work of <c>inspect</c> on one opened model.</summary>
internal sealed class Inspection(
    LlamaSession session, InspectOptions.Request asked, InspectedPrompts? prompts, CancellationToken cancellation)
{
    private const int Guesses = 5;

    private readonly int[] _layers = [.. Distinct(nameof(asked.Layers), asked.Layers.Select(
        text => Layer(text, session.Model.Config.Layers)))];

    private readonly double[] _scales = [.. Distinct(nameof(asked.Add), asked.Add.Select(Scale))];

    private readonly RefusalDirection? _direction =
        prompts?.Direction(session, asked.Position, cancellation);

    /// <summary>The direction at every layer, and its cosines with others.</summary>
    public InspectResult.Found? Direction()
    {
        if (_direction is not { } found)
        {
            return null;
        }

        var others = Distinct(nameof(asked.Against), asked.Against)
            .ToDictionary(name => name, name => found.CosinesWith(Other(name), name));
        return new(
            found.Position, found.Harmful, found.Harmless,
            [
                .. found.Layers.Select(layer => new InspectResult.Layer(
                    layer.Layer, layer.Norm, layer.StreamNorm, layer.Separation,
                    others.ToDictionary(other => other.Key, other => other.Value[layer.Layer]))),
            ]);
    }

    /// <summary>Refusals of the model as it is, and under every change that was asked for.</summary>
    public async Task<InspectResult.Counted?> RefusalsAsync()
    {
        if (_direction is null || (!asked.Ablate && asked.Add.Count == 0))
        {
            return null;
        }

        var judge = new RefusalMatcher();
        var probe = new RefusalProbe(
            session, DecodingConfig.Greedy(asked.MaxNewTokens), judge, asked.BatchSize);
        var changed = new List<InspectResult.Change>();
        var plain = await CountAsync(null);
        foreach (var layer in Layers())
        {
            var vector = _direction.Layers[layer].Vector;
            if (asked.Ablate)
            {
                var (bad, good) = await CountAsync(new DirectionAblation(vector));
                changed.Add(new("ablated", layer, null, bad, good));
            }

            foreach (var scale in asked.Add.Select(Scale))
            {
                var (bad, good) = await CountAsync(new DirectionAddition(vector, layer, scale));
                changed.Add(new("added", layer, scale, bad, good));
            }
        }

        return new(judge.Identity.Name, plain.Harmful, plain.Harmless, changed);

        async Task<(RefusalCount Harmful, RefusalCount Harmless)> CountAsync(IStreamHook? hook) => (
            await probe.CountAsync(prompts!.Harmful, hook, cancellation),
            await probe.CountAsync(prompts.Harmless, hook, cancellation));
    }

    /// <summary>What the head would predict from the stream of a request, layer by layer.</summary>
    public IReadOnlyList<InspectResult.Guess>? Lens()
    {
        if (asked.Lens is not { } request)
        {
            return null;
        }

        using var reader = new ResidualReader(session.Model);
        return [.. reader.Lens(session.PromptIds(request), asked.Position).Select(Guess)];
    }

    /// <summary>Saves the direction where that was asked for.</summary>
    public void Save()
    {
        if (asked.Out is { } path && _direction is not null)
        {
            DirectionFile.Write(path, _direction, new Dictionary<string, string>
            {
                ["model"] = session.Identity.Hash,
                ["prompts"] = ContentHash.OfText(string.Join(
                    '\n', prompts!.Harmful.Concat(prompts.Harmless).Select(p => $"{p.Text}\t{p.Surroundings}"))),
            });
        }

        if (asked.Without is { } folder)
        {
            var changed = AtomicFolder.Create(folder, partial =>
            {
                var count = DirectionRemoval.Write(
                    partial, asked.Model, session.Weights, _direction!.Layers[_layers[0]].Vector);
                TemplateRecord.Save(partial, session.Template);
                return count;
            });
            Terminal.Note(
                $"{folder}: {changed} weights without the direction before block {_layers[0]}.");
        }
    }

    /// <summary>Those asked for, or all at which there is a direction.</summary>
    private IEnumerable<int> Layers() => _layers.Length > 0 ? _layers
        : _direction!.Layers.Where(layer => layer.Norm > 0).Select(layer => layer.Layer);

    private static int Layer(string text, int last) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var layer) && layer <= last
            ? layer
            : throw SafeLlamaException.Usage(
                $"`{nameof(asked.Layers)}` {text}: expected whole numbers from 0 to {last}; {last} is the stream after "
                + "the last block.");

    private static T[] Distinct<T>(string setting, IEnumerable<T> values)
    {
        T[] all = [.. values];
        return all.GroupBy(value => value).FirstOrDefault(g => g.Skip(1).Any()) is not { } twice ? all
            : throw SafeLlamaException.Usage($"`{setting}` {twice.Key}: is named twice; name it once.");
    }

    private static double Scale(string text) =>
        double.TryParse(text, CultureInfo.InvariantCulture, out var scale) && double.IsFinite(scale)
            ? scale
            : throw SafeLlamaException.Usage($"`{nameof(asked.Add)}` {text}: expected numbers such as 1 or -0.5.");

    /// <summary>The direction of a file, of an adapter over this model, or of another model.</summary>
    private RefusalDirection Other(string name)
    {
        if (File.Exists(name) && !GgufHeader.IsGguf(name))
        {
            return DirectionFile.Read(name);
        }

        var inner = Path.Combine(name, "adapter");
        var adapter = new[] { name, inner }
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, PeftFolder.ConfigName)));
        using var other = LlamaSession.Open(session.Model.Backend, adapter is null ? name : asked.Model, new()
        {
            Adapter = adapter,
            Load = new(asked.Load, asked.Nested),
            Template = session.Template,
            MaxLength = asked.MaxLength,
        });
        Terminal.Notes(other.Notes);
        return prompts!.Direction(other, asked.Position, cancellation);
    }

    private InspectResult.Guess Guess(double[] logits, int layer)
    {
        // Rows of the embedding beyond the tokenizer's pieces stand for no text.
        var known = Math.Min(logits.Length, session.Tokenizer.VocabularySize);
        var largest = logits.Max();
        var sum = logits.Sum(logit => Math.Exp(logit - largest));
        return new(layer,
        [
            .. Enumerable.Range(0, known).OrderByDescending(id => logits[id]).ThenBy(id => id).Take(Guesses)
                .Select(id => new InspectResult.GuessedToken(
                    id, session.Tokenizer.Decode([id], keepControl: true), Math.Exp(logits[id] - largest) / sum)),
        ]);
    }
}
