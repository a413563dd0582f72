using System.Text.Json;
using Microsoft.AspNetCore.Http;
using SafeLlama.Model;
using SafeLlama.Serving;

namespace SafeLlama.Lab;

/// <summary><c>api/inside</c>: an answer, what made it, and how often the model refuses, as a stream.</summary>
internal sealed class InsideEndpoints(Workshop shop) : IRoomEndpoints
{
    private const int MostCharacters = 4000;
    private const int MostPrompts = 64;
    private const int MostLayers = 1000;
    private const int MostRank = 65_536;

    public IReadOnlyList<(string Path, Func<HttpContext, Task> Answer)> Posts => [("inside", Inside)];

    private async Task Inside(HttpContext context)
    {
        var fields = await Body.Read(context);
        var shown = fields.Integer("opening", 1, int.MaxValue);
        var asked = Read(fields);
        var events = new EventStream(context);
        await foreach (var told in shop.Gate.Stream<InsideEvent>(
            (tell, cancel) =>
            {
                shop.Talking.RequireShown(shown);
                new InsideLook(shop.Talking, asked).Run(tell, cancel);
            },
            context.RequestAborted))
        {
            await events.Send<object>(told);
        }
    }

    private static InsideRequest Read(RequestFields fields)
    {
        var asked = new InsideRequest(
            LabFields.Text(fields, "request", MostCharacters),
            LabFields.Text(fields, "voice", MostCharacters),
            fields.Number("scale", s => s is >= 0 and <= 2, "a number from 0 to 2") ?? 1,
            new()
            {
                WithoutLinears = Linears(fields),
                WithoutLayers = Layers(fields),
                Rank = fields.Integer("rank", 0, MostRank),
            },
            Change(fields),
            new(
                fields.Integer("position", -int.MaxValue, -1) ?? -1, fields.Integer("layer", 0, MostLayers) ?? 0,
                fields.Integer("head", 0, MostLayers) ?? 0),
            Prompts(fields, "unsafe"), Prompts(fields, "benign"));
        fields.RefuseOthers();
        return asked;
    }

    private static IReadOnlyList<string> Linears(RequestFields fields)
    {
        const string name = "without_linears";
        var linears = fields.Texts(name, LlamaShapes.LinearNames.Count);
        return linears.FirstOrDefault(l => !LlamaShapes.LinearNames.Contains(l)) is not { } other ? linears
            : throw new ApiException(
                400, $"'{name}' holds '{(other.Length > 32 ? other[..32] + "…" : other)}', expected some of "
                + $"{string.Join(", ", LlamaShapes.LinearNames)}.", name);
    }

    private static IReadOnlyList<int> Layers(RequestFields fields)
    {
        const string name = "without_layers";
        return fields.Find(name) is not { } list ? []
            : list.ValueKind == JsonValueKind.Array && list.GetArrayLength() <= MostLayers
                ? [.. list.EnumerateArray().Select(one => one.ValueKind == JsonValueKind.Number
                    && one.TryGetInt32(out var layer) ? layer : throw RequestFields.Wrong(one, name, "whole numbers"))]
            : throw RequestFields.Wrong(list, name, "a list of layers");
    }

    private static DirectionChange? Change(RequestFields fields)
    {
        if (fields.Find("direction") is not { } value)
        {
            return null;
        }

        var inner = new RequestFields(value, "direction.");
        var layer = inner.Integer("layer", 0, MostLayers)
            ?? throw new ApiException(400, "'direction.layer' is missing.", "direction.layer");
        var scale = inner.Number("scale", s => s is >= -10 and <= 10, "a number from −10 to 10");
        inner.RefuseOthers();
        return new(layer, scale);
    }

    private static IReadOnlyList<string> Prompts(RequestFields fields, string name)
    {
        var prompts = fields.Texts(name, MostPrompts);
        return prompts.Count == 0
            ? throw new ApiException(
                400, $"'{name}' is missing or empty: a direction needs prompts of both kinds.", name)
            : prompts.FirstOrDefault(p => p.Length > MostCharacters) is { } large
                ? throw new ApiException(
                    400, $"'{name}' holds a prompt of {large.Length} characters, the lab takes {MostCharacters}.", name)
            : prompts;
    }
}
