using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Serving;

/// <summary>An engine behind OpenAI's interface.</summary>
public sealed class SafeLlamaServer : IAsyncDisposable
{
    /// <summary>Open connections, beyond which new ones are closed.</summary>
    private const int MostConnections = 4096;

    /// <summary>What is counted for a request whose client went away; nobody receives it.</summary>
    private const int Abandoned = 499;

    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];

    private readonly WebApplication _app;
    private readonly ServingEngine _engine;
    private readonly ServerSettings _settings;
    private readonly ServerMetrics _metrics;
    private readonly ModerationEndpoint _moderation;
    private readonly ApiKey? _key;
    private readonly Action<string> _log;

    /// <param name="engine">It outlives the server.</param>
    /// <param name="judge">Answers <c>/v1/moderations</c>; null for none. It outlives the server.</param>
    /// <param name="log">Receives faults of the server, a line each.</param>
    /// <exception cref="SafeLlamaException">A setting is out of range.</exception>
    public SafeLlamaServer(
        ServingEngine engine, ServerSettings settings, IJudge? judge = null, Action<string>? log = null)
    {
        settings.Validate();
        (_engine, _settings, _log) = (engine, settings, log ?? (_ => { }));
        (_metrics, _moderation) = (new ServerMetrics(engine), new ModerationEndpoint(judge));
        _key = settings.ApiKey is { Length: > 0 } key ? new ApiKey(key) : null;
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = settings.MaxBody;
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            if (settings.Host == "localhost" && settings.Port > 0)
            {
                kestrel.ListenLocalhost(settings.Port);      // both 127.0.0.1 and ::1, whichever a client tries
            }
            else if (settings.Host == "localhost")
            {
                kestrel.Listen(IPAddress.Loopback, 0);
            }
            else
            {
                kestrel.Listen(IPAddress.Parse(settings.Host), settings.Port);
            }
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddCors();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.Grace);
        builder.Services.AddOpenTelemetry().ConfigureResource(r => r.AddService("safellama"))
            .WithMetrics(m => m.AddMeter(ServerMetrics.Name).AddPrometheusExporter());
        _app = builder.Build();
        Map();
    }

    /// <summary>Where the server listens, once started.</summary>
    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features
        .Get<IServerAddressesFeature>()!.Addresses.First());

    /// <exception cref="SafeLlamaException">The address cannot be listened on.</exception>
    public async Task StartAsync(CancellationToken cancel = default)
    {
        try
        {
            await _app.StartAsync(cancel);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw SafeLlamaException.Failure(
                $"`{nameof(_settings.Host)}` {_settings.Host}, `{nameof(_settings.Port)}` {_settings.Port}: cannot be "
                + $"listened on: {e.Message.TrimEnd('.')}.", e, "name another `Port`", "another `Host`");
        }
    }

    /// <summary>Takes nothing more; answers under way are finished, for as long as the settings allow.</summary>
    /// <returns>Whether all of them were.</returns>
    public async Task<bool> StopAsync()
    {
        var began = Stopwatch.GetTimestamp();
        var ended = await Task.Run(() => _engine.Stop(_settings.Grace));
        var left = _settings.Grace - Stopwatch.GetElapsedTime(began);
        using var limit = new CancellationTokenSource(left > TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1));
        await _app.StopAsync(limit.Token);
        return ended;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _metrics.Dispose();
        _moderation.Dispose();
    }

    private void Map()
    {
        _app.Use(Answer);
        if (_settings.Cors.Count > 0)
        {
            _app.UseCors(policy => _ = _settings.Cors.Contains("*")
                ? policy.AllowAnyOrigin().AllowAnyHeader().AllowAnyMethod()
                : policy.WithOrigins([.. _settings.Cors]).AllowAnyHeader().AllowAnyMethod());
        }

        _app.Use(Admit);
        _app.UseRouting();
        var (models, tokenizer) = (new ModelEndpoints(_engine), new TokenizerEndpoints(_engine));
        var (chat, completions) = (
            new ChatEndpoint(_engine, _settings, _metrics), new CompletionEndpoint(_engine, _settings, _metrics));
        _app.MapMethods("/health", Reading, models.Health);
        _app.MapMethods("/v1/models", Reading, models.List);
        _app.MapMethods("/v1/models/{**id}", Reading, (HttpContext context) =>
            models.Show(context, context.GetRouteValue("id") as string ?? ""));
        _app.MapPost("/v1/chat/completions", chat.Answer);
        _app.MapPost("/v1/completions", completions.Answer);
        _app.MapPost("/v1/moderations", _moderation.Judge);
        _app.MapPost("/tokenize", tokenizer.Tokenize);
        _app.MapPost("/detokenize", tokenizer.Detokenize);
        _app.MapMethods("/tokenizer_info", Reading, tokenizer.Info);
        _app.MapPrometheusScrapingEndpoint("/metrics");
        _app.UseEndpoints(_ => { });
    }

    /// <summary>Gives every fault its form, and counts every request.</summary>
    private async Task Answer(HttpContext context, RequestDelegate next)
    {
        var (began, failed) = (Stopwatch.GetTimestamp(), (int?)null);
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            await next(context);
            if (!context.Response.HasStarted && context.Response.StatusCode is 404 or 405)
            {
                await Reply.Error(context, new(
                    context.Response.StatusCode, context.Response.StatusCode == 404
                        ? "There is nothing at this address." : "This address does not take this method."));
            }
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody reads an answer any more.
            failed = Abandoned;
        }
        catch (Exception fault)
        {
            failed = await Tell(context, fault);
        }

        var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "";
        _metrics.Answered(route, failed ?? context.Response.StatusCode, Stopwatch.GetElapsedTime(began));
    }

    /// <returns>The status of the fault, also where a stream had begun with another.</returns>
    private async Task<int> Tell(HttpContext context, Exception fault)
    {
        var told = fault is OperationCanceledException
            ? new ApiException(503, "The server is stopping.", null, "stopping") : Reply.Of(fault);
        if (told.Status >= 500)
        {
            // Paths and faults hold what clients sent, line breaks too: no client writes a line of its own.
            _log(SafeText.ForTerminalCell($"{context.Request.Path}: {fault.GetType().Name}: {fault.Message}"
                + (told.Code == "internal_error" ? $" {fault.StackTrace?.ReplaceLineEndings(" ")}" : "")));
        }

        if (!context.Response.HasStarted)
        {
            context.Response.Headers.WWWAuthenticate = told.Status == 401 ? "Bearer" : default;
            context.Response.Headers.RetryAfter = told.Status is 429 or 503 ? "1" : default;
            await Reply.Error(context, told);
        }
        else
        {
            // Midway in a stream: clients raise this event as an exception.
            await new EventStream(context).Send(Reply.ErrorBody(told));
        }

        return told.Status;
    }

    /// <summary>Refuses who has no key, and pages that reach this machine by a name of their own.</summary>
    private Task Admit(HttpContext context, RequestDelegate next)
    {
        if (_settings.IsLoopback && !ServerSettings.IsThisMachine(context.Request.Host.Host))
        {
            throw new ApiException(403, "This server listens for this machine alone; ask it as localhost.");
        }

        if (_key is not null && context.Request.Path != "/health" && !_key.IsIn(context.Request))
        {
            throw new ApiException(401, "The key is missing or wrong.", null, "invalid_api_key");
        }

        return next(context);
    }
}
