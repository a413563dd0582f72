using Microsoft.AspNetCore.Http;

namespace SafeLlama.Serving;

/// <summary><c>GET /v1/models</c>, <c>/v1/models/ID</c> and <c>/health</c>.</summary>
internal sealed class ModelEndpoints(ServingEngine engine)
{
    private readonly long _created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    public Task List(HttpContext context) =>
        Reply.Write(context, new { @object = "list", data = engine.Models.Select(Card).ToArray() });

    /// <summary>One model. Clients write the slash of an id as %2F, which paths keep.</summary>
    public Task Show(HttpContext context, string id) => Reply.Write(
        context,
        Card(Find(id) ?? Find(id.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase))
            ?? throw new ApiException(404, "There is no such model.", "model", "model_not_found")));

    public Task Health(HttpContext context)
    {
        context.Response.StatusCode = engine.IsRunning ? 200 : 503;
        return Reply.Write(context, new
        {
            status = engine.IsRunning ? "ok" : "stopping",
            slots = engine.Settings.Slots,
            busy = engine.Busy,
            waiting = engine.Waiting,
        });
    }

    private ServedModel? Find(string id) => engine.Models.FirstOrDefault(m => m.Id == id);

    private object Card(ServedModel model) => new
    {
        model.Id,
        @object = "model",
        created = _created,
        owned_by = "safellama",
        parent = model.Adapter < 0 ? null : engine.Models[0].Id,
        template = ChatPrompt.Named(model.Template),
        max_model_len = engine.MaxLength,
    };
}
